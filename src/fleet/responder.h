// What a device does about what it is sent: a pure function of the message and of what it has seen
// before.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "device/topic.h"

namespace heliograph::fleet {

// A message to send `after` some time.
struct Reply {
  device::Channel channel = device::Channel::kData;
  std::string payload;
  std::chrono::milliseconds after{0};
};

enum class Then { kStay, kDisconnect, kReconnect };

struct Reaction {
  std::vector<Reply> replies;
  Then then = Then::kStay;
  std::chrono::milliseconds delay{0};  // until the reconnect
  bool is_action = false;              // one that was run; false for a repeat
};

struct ResponderOptions {
  bool stages = false;  // says accepted and running before succeeded
  std::chrono::milliseconds answer_delay{0};
};

// Threads: one thread.
class Responder {
 public:
  explicit Responder(ResponderOptions options) : options_(options) {}

  // `data/in`: runs an action once and answers with its content; one that comes again is answered
  // again, not run again; one whose deadline has passed fails with the reason "deadline_passed".
  // The directive "fail" fails, "silent" is never answered. What cannot be read is ignored, as a
  // device does.
  Reaction OnData(std::string_view payload, base::Timestamp now);

  // `control/in`: ping, disconnect, reconnect.
  Reaction OnControl(std::string_view payload, base::Timestamp now);

 private:
  std::vector<Reply> Run(const std::string& directive, const std::string& id,
                         std::string_view payload, base::Timestamp now) const;
  void Remember(const std::string& id, std::string answer);

  ResponderOptions options_;
  std::unordered_map<std::string, std::string> answers_;  // by action id
  std::deque<std::string> order_;                         // of answers_, the oldest first
};

}  // namespace heliograph::fleet
