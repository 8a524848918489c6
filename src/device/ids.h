// The names of things that talk: client ids, tenants, sessions, messages. Grammar:
// docs/PROTOCOL.md, "MQTT topics".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/strong_string.h"

namespace heliograph::device {

// 1 to 128 bytes of [A-Za-z0-9._:-]; the certificate's common name, the MQTT user name and the MQTT
// client id.
using ClientId = base::StrongString<struct ClientIdTag>;
using TenantId = base::StrongString<struct TenantIdTag>;  // 1 to 128 bytes, same alphabet
using SessionId =
    base::StrongString<struct SessionIdTag>;  // whatever unique string the device chose
using MessageId = base::StrongString<struct MessageIdTag>;

bool IsClientId(std::string_view text);
base::Result<ClientId> ParseClientId(
    std::string_view text);  // kInvalidArgument says what was wrong
base::Result<TenantId> ParseTenantId(std::string_view text);

// Where a record stands in `device.control`. Ordered within a partition.
struct LogPosition {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  friend bool operator==(const LogPosition&, const LogPosition&) = default;
};

std::string ToString(const LogPosition& position);  // "2:1042"

}  // namespace heliograph::device
