#include "webhooks/batch.h"

#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::webhooks {
namespace {

std::string Beginning(std::string_view type, std::string_view id, std::string_view webhook,
                      base::Timestamp at) {
  std::string out = R"({"specversion":"1.0","id":)";
  json::AppendString(out, id);
  out.append(R"(,"source":"/heliograph/webhooks","type":"heliograph.)").append(type);
  out += R"(","subject":)";
  json::AppendString(out, webhook);
  return out + R"(,"time":")" + base::FormatRfc3339(at) +
         R"(","datacontenttype":"application/json","data":)";
}

}  // namespace

bool Batch::Add(std::string_view id, base::Timestamp at, std::string_view text) {
  if (events_ >= most_events_) return false;
  if (events_ > 0 && body_.size() + text.size() > kMostBatchBytes) return false;
  if (events_ == 0) {
    first_id_ = id;
    first_at_ = at;
  } else {
    body_ += ',';
  }
  last_id_ = id;
  body_.append(text);
  ++events_;
  return true;
}

// Standard Webhooks signs "id.timestamp.body": an id has no dots.
std::string Batch::Id(std::int64_t webhook) const {
  std::string id = "msg_" + std::to_string(webhook) + '_' + first_id_ + '_' + last_id_;
  for (char& c : id) {
    const bool is_plain =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!is_plain) c = '_';
  }
  return id;
}

std::string WritePing(std::string_view id, std::string_view webhook, base::Timestamp at) {
  return Beginning("ping", id, webhook, at) + "{}}";
}

std::string WriteReset(std::string_view id, std::string_view webhook, base::Timestamp at,
                       std::string_view after, std::string_view up_to) {
  std::string out = Beginning("reset", id, webhook, at) + R"({"after":)";
  json::AppendString(out, after);
  out += R"(,"up_to":)";
  json::AppendString(out, up_to);
  return out + "}}";
}

}  // namespace heliograph::webhooks
