// A broker that answers as a test says, and keeps what it was given. Threads: any thread.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "dispatch/sender.h"

namespace heliograph::dispatch {

class ScriptedSender final : public Sender {
 public:
  using Answer = std::function<void(const mqtt::OutgoingMessage&, const mqtt::PublishCallback&)>;

  bool connected() const override { return is_connected; }

  base::Status Publish(mqtt::OutgoingMessage message, const std::string&,
                       mqtt::PublishCallback on_done) override {
    if (!is_connected) return base::MakeError(base::ErrorCode::kUnavailable, "not connected");
    {
      const std::lock_guard lock(mutex_);
      if (refusals > 0) {
        --refusals;
        return base::MakeError(base::ErrorCode::kUnavailable, "too many in flight");
      }
      sent.push_back(message);
    }
    answer(message, on_done);
    return {};
  }

  void Reconnect() override { ++reconnects; }

  // While somebody else publishes.
  std::vector<mqtt::OutgoingMessage> Sent() const {
    const std::lock_guard lock(mutex_);
    return sent;
  }

  bool is_connected = true;
  int refusals = 0;  // of the next publishes
  std::atomic<int> reconnects = 0;
  Answer answer = [](const auto&, const auto& on_done) {
    on_done(mqtt::PublishOutcome::kAcknowledged, 0);
  };
  std::vector<mqtt::OutgoingMessage> sent;

 private:
  mutable std::mutex mutex_;
};

}  // namespace heliograph::dispatch
