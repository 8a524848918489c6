#include "device/topic.h"

#include <algorithm>

namespace heliograph::device {
namespace {

constexpr std::size_t kMostLevels = 8;
constexpr std::size_t kLongestPrefix = 256;

bool IsServiceId(std::string_view text) {
  return text.size() > 1 && text.front() == '@' && IsClientId(text.substr(1));
}

// Cuts the last level off `rest`, with its slash. Empty when there is no slash.
std::string_view TakeLastLevel(std::string_view& rest) {
  const auto slash = rest.rfind('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view level = rest.substr(slash + 1);
  rest = rest.substr(0, slash);
  return level;
}

}  // namespace

std::string_view ChannelName(Channel channel) {
  switch (channel) {
    case Channel::kControl:
      return "control";
    case Channel::kData:
      return "data";
  }
  return "data";
}

base::Result<TopicGrammar> TopicGrammar::Create(std::string_view prefix) {
  const auto wrong = [&](const char* why) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "the topic prefix '" + std::string(prefix) + "' " + why);
  };
  if (prefix.empty() || prefix.size() > kLongestPrefix) return wrong("must have 1 to 256 bytes");
  if (prefix.front() == '$') return wrong("begins with $, which is the broker's own");
  if (prefix.find_first_of("+#") != std::string_view::npos) return wrong("has a wildcard");
  if (std::any_of(prefix.begin(), prefix.end(), [](char c) { return c <= 0x20 || c == 0x7f; })) {
    return wrong("has a space, a control character or a byte that is not ASCII");
  }
  if (prefix.front() == '/' || prefix.back() == '/' ||
      prefix.find("//") != std::string_view::npos) {
    return wrong("has an empty level");
  }
  if (static_cast<std::size_t>(std::count(prefix.begin(), prefix.end(), '/')) >= kMostLevels) {
    return wrong("has more than 8 levels");
  }
  return TopicGrammar(std::string(prefix));
}

TopicGrammar::Parsed TopicGrammar::Parse(std::string_view topic) const noexcept {
  std::string_view rest = topic;
  Topic parsed;
  const std::string_view direction = TakeLastLevel(rest);
  const std::string_view channel = TakeLastLevel(rest);
  const std::string_view client_id = TakeLastLevel(rest);
  if (rest != prefix_) return {std::nullopt, TopicFault::kBadTopic};
  if (direction == "out") {
    parsed.direction = Direction::kOut;
  } else if (direction == "in") {
    parsed.direction = Direction::kIn;
  } else {
    return {std::nullopt, TopicFault::kBadTopic};
  }
  if (channel == "control") {
    parsed.channel = Channel::kControl;
  } else if (channel == "data") {
    parsed.channel = Channel::kData;
  } else {
    return {std::nullopt, TopicFault::kBadTopic};
  }
  if (!IsClientId(client_id) && !IsServiceId(client_id)) {
    return {std::nullopt, TopicFault::kBadClientId};
  }
  parsed.client_id = client_id;
  return {parsed, {}};
}

std::string TopicGrammar::Write(std::string_view client_id, Channel channel,
                                Direction direction) const {
  std::string topic = prefix_;
  topic.append("/").append(client_id).append("/").append(ChannelName(channel));
  topic.append(direction == Direction::kOut ? "/out" : "/in");
  return topic;
}

std::string TopicGrammar::OutFilter(Channel channel) const {
  return Write("+", channel, Direction::kOut);
}

}  // namespace heliograph::device
