// The query of a request, read strictly: every parameter is known, stands once unless it may
// repeat, and has its type.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "action/ids.h"
#include "action/selector.h"
#include "base/clock.h"
#include "device/connection.h"
#include "device/ids.h"
#include "http/message.h"

namespace heliograph::api {

// Before it, PostgreSQL counts years otherwise than RFC 3339.
inline constexpr base::Timestamp kFirstTime =
    std::chrono::sys_days(std::chrono::year(1) / std::chrono::January / 1);

// Each Read… leaves its default where the parameter is missing; after the first fault all do
// nothing. Threads: one thread.
class Parameters {
 public:
  // `known`: all names that the route takes; `repeatable`: those that may stand more than once.
  Parameters(const http::Request& request, std::initializer_list<std::string_view> known,
             std::initializer_list<std::string_view> repeatable = {});

  std::int64_t Limit();                                         // 1 to 1000, else 100
  std::optional<std::string_view> Text(std::string_view name);  // 1 to 256 bytes
  std::optional<base::Timestamp> Time(std::string_view name);
  std::optional<device::ConnectionState> State(std::string_view name);
  std::optional<device::TenantId> Tenant(std::string_view name);
  std::optional<action::ActionId> ActionId(std::string_view name);
  std::optional<action::GroupName> GroupName(std::string_view name);
  std::string ClientIdPrefix(std::string_view name);
  std::vector<std::pair<std::string, std::string>> Tags(
      std::string_view name);  // key:value, split at the first colon

  void Refuse(std::string_view name, std::string_view why);  // a fault that the caller found
  // What to answer when a parameter is wrong.
  const std::optional<http::Response>& fault() const { return fault_; }

 private:
  std::optional<std::string_view> Find(std::string_view name) const;

  const http::Request& request_;
  std::optional<http::Response> fault_;
};

}  // namespace heliograph::api
