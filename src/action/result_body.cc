#include "action/result_body.h"

#include <string>
#include <utility>

#include "json/json.h"

namespace heliograph::action {

std::variant<Report, RequestFault, device::Unacceptable> ParseResultBody(std::string_view body,
                                                                         const ActionId& id) {
  const json::Parsed parsed = json::Parse(body);
  if (!parsed) {
    return RequestFault{"", "the body is not acceptable JSON: " + parsed.error().message};
  }
  if (!parsed->is_object()) return RequestFault{"", "the body is not an object"};
  device::DataMessage message;
  message.response_to = id.str();
  if (const auto content = parsed->find("content"); content != parsed->end()) {
    message.content = json::Write(*content);
  }
  const auto metadata = parsed->find("metadata");
  if (metadata != parsed->end() && !metadata->is_null()) {
    if (!metadata->is_object()) {
      return RequestFault{"/metadata", "the metadata is neither null nor an object of strings"};
    }
    for (const auto& [name, value] : metadata->items()) {
      if (!value.is_string()) return RequestFault{"/metadata", "a metadata value is a string"};
      message.metadata[name] = value.get<std::string>();
    }
  }
  auto report = ParseReport(message);
  if (auto* why = std::get_if<device::Unacceptable>(&report)) {
    if (why->reason == device::DeadLetterReason::kResultTooLarge) return std::move(*why);
    return RequestFault{"/metadata", std::move(why->detail)};
  }
  return std::get<Report>(std::move(report));
}

}  // namespace heliograph::action
