// `{prefix}/{client_id}/{channel}/{direction}`. Pure, and without allocation where it reads: it
// runs once a message.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "device/ids.h"

namespace heliograph::device {

enum class Channel { kControl, kData };
enum class Direction { kOut, kIn };  // from the device, to the device

std::string_view ChannelName(Channel channel);  // "control", "data"

// Views into the topic that was parsed. `client_id` has the grammar of a ClientId, or is a
// service's (`@…`).
struct Topic {
  std::string_view client_id;
  Channel channel = Channel::kControl;
  Direction direction = Direction::kOut;
};

enum class TopicFault { kBadTopic, kBadClientId };

// The topics below one prefix. Threads: immutable.
class TopicGrammar {
 public:
  // 1 to 8 levels without wildcards, `$` or empty levels; kInvalidArgument otherwise.
  static base::Result<TopicGrammar> Create(std::string_view prefix);

  struct Parsed {
    std::optional<Topic> topic;
    TopicFault fault = TopicFault::kBadTopic;  // where there is no topic
  };
  Parsed Parse(std::string_view topic) const noexcept;

  std::string Write(std::string_view client_id, Channel channel, Direction direction) const;
  std::string OutFilter(Channel channel) const;  // "{prefix}/+/control/out"
  const std::string& prefix() const { return prefix_; }

 private:
  explicit TopicGrammar(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string prefix_;
};

}  // namespace heliograph::device
