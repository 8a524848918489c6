// What the publisher needs of an MQTT connection.
#pragma once

#include "base/result.h"
#include "mqtt/session.h"

namespace heliograph::dispatch {

// As mqtt::Session has it. Threads: any thread.
class Sender {
 public:
  virtual ~Sender() = default;

  virtual bool connected() const = 0;
  // kUnavailable: not connected, or too many are in flight. If ok, `on_done` is called exactly
  // once, on any thread.
  virtual base::Status Publish(mqtt::OutgoingMessage message, mqtt::PublishCallback on_done) = 0;
};

}  // namespace heliograph::dispatch
