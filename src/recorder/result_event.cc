#include "recorder/result_event.h"

#include <string_view>

#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::recorder {
namespace {

using action::TargetStatus;

// Nothing of this needs escapes: ids have alphabets without quotes. A target ends once, so that
// source and id together are unique.
std::string WriteHead(std::string_view source, std::string_view type, const action::Action& action,
                      const action::Target& target) {
  std::string out;
  out.reserve(1024 + action.payload.size());
  out.append(R"({"specversion":"1.0","id":")").append(action.id.view());
  out.append("/").append(target.client_id.view());
  out.append(R"(","source":"/heliograph/)").append(source);
  out.append(R"(","type":"heliograph.action.)").append(type);
  out.append(R"(","subject":")").append(target.client_id.view());
  out.append(R"(","time":")").append(base::FormatRfc3339(target.updated_at));
  out.append(R"(","datacontenttype":"application/json","data":{)");
  return out;
}

}  // namespace

bool IsDeadLetter(TargetStatus status) {
  switch (status) {
    case TargetStatus::kExpired:
    case TargetStatus::kOffline:
    case TargetStatus::kUnknown:
    case TargetStatus::kUnauthorised:
    case TargetStatus::kUndeliverable:
      return true;
    case TargetStatus::kAccepted:
    case TargetStatus::kQueued:
    case TargetStatus::kPublished:
    case TargetStatus::kDelivered:
    case TargetStatus::kRunning:
    case TargetStatus::kSucceeded:
    case TargetStatus::kFailed:
    case TargetStatus::kCancelled:
      return false;
  }
  return false;
}

std::string WriteResultEvent(const action::Action& action, const action::Target& target) {
  std::string out = WriteHead("action.results", "target.ended", action, target);
  out += R"("action":)";
  action::AppendHeading(out, action);
  out += R"(,"target":)";
  action::AppendTarget(out, target);
  return out += "}}";
}

std::string WriteDeadLetterEvent(const action::Action& action, const action::Target& target) {
  std::string out = WriteHead("action.dead-letter", "dead-letter", action, target);
  out += R"("reason":)";
  json::AppendString(out, target.reason.empty() ? TargetStatusName(target.status) : target.reason);
  out += R"(,"action":)";
  action::AppendRequest(out, action);
  out += R"(,"target":)";
  action::AppendTarget(out, target);
  return out += "}}";
}

}  // namespace heliograph::recorder
