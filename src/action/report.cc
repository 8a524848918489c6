#include "action/report.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "json/json.h"

namespace heliograph::action {
namespace {

using device::DeadLetterReason;
using device::Unacceptable;

std::string_view Find(const device::DataMessage& message, const char* name) {
  const auto found = message.metadata.find(name);
  return found == message.metadata.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<TargetEvent> EventOf(std::string_view status) {
  if (status.empty() || status == "succeeded") return TargetEvent::kSucceeded;
  if (status == "accepted") return TargetEvent::kDelivered;
  if (status == "running") return TargetEvent::kRunning;
  if (status == "failed") return TargetEvent::kFailed;
  return std::nullopt;
}

std::optional<int> ParseProgress(std::string_view text) {
  int progress = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), progress);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (progress < 0 || progress > 100) return std::nullopt;
  return progress;
}

// Cut at the beginning of a UTF-8 character.
std::string Cut(std::string_view text) {
  if (text.size() <= kLongestReason) return std::string(text);
  std::size_t end = kLongestReason;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

}  // namespace

std::variant<Report, Unacceptable> ParseReport(const device::DataMessage& message) {
  auto id = ParseActionId(message.response_to);
  if (!id) return Unacceptable{DeadLetterReason::kUnknownAction, "`response_to` is no action's id"};
  Report report;
  report.action_id = *std::move(id);
  const auto event = EventOf(Find(message, "status"));
  if (!event) return Unacceptable{DeadLetterReason::kBadField, "`metadata.status` is not a status"};
  report.event = *event;
  if (!message.metadata.empty()) report.metadata = json::Write(json::Value(message.metadata));
  if (message.content.size() + report.metadata.size() > kLargestResult) {
    return Unacceptable{DeadLetterReason::kResultTooLarge,
                        std::to_string(message.content.size() + report.metadata.size()) +
                            " bytes of content and metadata; at most 262144 are kept"};
  }
  report.content = message.content;
  if (report.event == TargetEvent::kFailed) report.reason = Cut(Find(message, "reason"));
  if (report.event == TargetEvent::kRunning) {
    const std::string_view progress = Find(message, "progress");
    report.progress = ParseProgress(progress);
    if (!progress.empty() && !report.progress) {
      return Unacceptable{DeadLetterReason::kBadField, "`metadata.progress` is not 0 to 100"};
    }
    report.note = Cut(Find(message, "note"));
  }
  return report;
}

}  // namespace heliograph::action
