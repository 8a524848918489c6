// What travels on `data`: an action to a device, its answer, or telemetry. Grammar:
// docs/PROTOCOL.md, "Data messages".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "device/dead_letter.h"
#include "device/ids.h"

namespace heliograph::device {

struct DataMessage {
  MessageId message_id;
  std::string response_to;  // what it answers; "" = nothing
  std::string directive;
  std::map<std::string, std::string> metadata;  // empty and null are the same
  std::string content = "null";                 // compact JSON
};

// Whether the payload can be an answer at all: a search for `"response_to"` with a string that is
// not empty, without parsing. May say yes for a payload that is none (the words stand deeper
// inside); never no for one that is.
bool MayBeAnswer(std::string_view payload);

// Any bytes in, never throws.
std::variant<DataMessage, Unacceptable> ParseDataMessage(std::string_view payload);

// To a device. `sent` is written as given.
std::string WriteDataMessage(const DataMessage& message, base::Timestamp sent);

}  // namespace heliograph::device
