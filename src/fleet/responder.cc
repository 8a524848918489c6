#include "fleet/responder.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/rfc3339.h"
#include "fleet/messages.h"
#include "json/json.h"

namespace heliograph::fleet {
namespace {

constexpr std::size_t kRemembered = 1000;
constexpr std::int64_t kLongestDelaySeconds = 3600;

std::string TextOf(const json::Value& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::chrono::seconds DelayOf(const json::Value& content) {
  const auto arguments = content.find("arguments");
  if (arguments == content.end() || !arguments->is_object()) return std::chrono::seconds(0);
  const std::string text = TextOf(*arguments, "delay");
  std::int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kLongestDelaySeconds));
}

// What waited in a socket while the clock went on.
bool IsTooLate(const json::Value& message, base::Timestamp now) {
  const auto metadata = message.find("metadata");
  if (metadata == message.end() || !metadata->is_object()) return false;
  const auto deadline = base::ParseRfc3339(TextOf(*metadata, "heliograph.deadline"));
  return deadline && now > *deadline;
}

}  // namespace

Reaction Responder::OnData(std::string_view payload, base::Timestamp now) {
  auto message = json::Parse(payload);
  if (!message || !message->is_object()) return {};
  const std::string id = TextOf(*message, "message_id");
  const std::string directive = TextOf(*message, "directive");
  if (id.empty() || directive == "silent") return {};
  Reaction reaction;
  if (const auto known = answers_.find(id); known != answers_.end()) {
    reaction.replies.push_back({device::Channel::kData, known->second, options_.answer_delay});
    return reaction;
  }
  if (IsTooLate(*message, now)) {
    reaction.replies.push_back(
        {device::Channel::kData,
         ResultMessage(directive, id, {{"status", "failed"}, {"reason", "deadline_passed"}},
                       nullptr, now),
         options_.answer_delay});
    return reaction;
  }
  reaction.is_action = true;
  reaction.replies = Run(directive, id, payload, now);
  Remember(id, reaction.replies.back().payload);
  return reaction;
}

std::vector<Reply> Responder::Run(const std::string& directive, const std::string& id,
                                  std::string_view payload, base::Timestamp now) const {
  const json::Value content = (*json::Parse(payload)).value("content", json::Value());
  const auto say = [&](const std::map<std::string, std::string>& metadata,
                       const json::Value& body) {
    return ResultMessage(directive, id, metadata, body, now);
  };
  std::vector<Reply> replies;
  if (options_.stages) {
    replies.push_back({device::Channel::kData, say({{"status", "accepted"}}, nullptr), {}});
    replies.push_back(
        {device::Channel::kData,
         say({{"status", "running"}, {"progress", "50"}, {"note", "half way"}}, nullptr),
         options_.answer_delay / 2});
  }
  const bool fails = directive == "fail";
  replies.push_back({device::Channel::kData,
                     fails ? say({{"status", "failed"}, {"reason", "asked to fail"}}, nullptr)
                           : say({{"status", "succeeded"}}, content),
                     options_.answer_delay});
  return replies;
}

void Responder::Remember(const std::string& id, std::string answer) {
  answers_.emplace(id, std::move(answer));
  order_.push_back(id);
  if (order_.size() > kRemembered) {
    answers_.erase(order_.front());
    order_.pop_front();
  }
}

Reaction Responder::OnControl(std::string_view payload, base::Timestamp now) {
  auto message = json::Parse(payload);
  if (!message || !message->is_object() || TextOf(*message, "type") != "command") return {};
  const auto content = message->find("content");
  if (content == message->end() || !content->is_object()) return {};
  const std::string command = TextOf(*content, "command");
  const std::string id = TextOf(*message, "message_id");
  Reaction reaction;
  if (command == "ping") {
    reaction.replies.push_back({device::Channel::kControl, EventMessage("pong", id, now), {}});
  } else if (command == "disconnect") {
    reaction.replies.push_back(
        {device::Channel::kControl, EventMessage("disconnect", id, now), {}});
    reaction.then = Then::kDisconnect;
  } else if (command == "reconnect") {
    reaction.then = Then::kReconnect;
    reaction.delay = DelayOf(*content);
  }
  return reaction;
}

}  // namespace heliograph::fleet
