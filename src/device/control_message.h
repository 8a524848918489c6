// What a device says on `control/out`, parsed to types by one total function. Grammar:
// docs/PROTOCOL.md, "Control messages".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "device/dead_letter.h"
#include "device/ids.h"

namespace heliograph::device {

// What a device tells of itself when it comes online. Absent and null are the same. The JSON texts
// are compact, valid for PostgreSQL's jsonb (no U+0000), and "null" where the device gave nothing.
struct Description {
  std::string canonical_facts = "null";  // any JSON
  std::string dispatchers = "null";      // an object of objects, or null
  std::string tags = "null";             // an object of strings, or null
  std::string client_name;
  std::string client_version;
};

struct Online {
  std::optional<SessionId> session_id;
  Description description;
};

// `reason` is the device's word, or "said_offline". What else an *offline* carries is older than
// the *online* it follows (a will is written before the connection is made), so it is not taken.
struct Offline {
  std::optional<SessionId> session_id;
  std::string reason;
};

// "pong", "disconnect" or a word to come: proof of life, nothing more.
struct DeviceEvent {
  std::string name;
  std::string response_to;
};

struct ControlMessage {
  MessageId message_id;  // "" where the device gave none
  std::variant<Online, Offline, DeviceEvent> body;
};

// Any bytes in, never throws. `sent` is checked and then dropped: clocks jump, so it decides
// nothing.
std::variant<ControlMessage, Unacceptable> ParseControlMessage(std::string_view payload);

}  // namespace heliograph::device
