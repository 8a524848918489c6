// What the publisher needs of an MQTT connection.
#pragma once

#include <string>

#include "base/result.h"
#include "mqtt/session.h"

namespace heliograph::dispatch {

// As mqtt::Session has it. Threads: any thread.
class Sender {
 public:
  virtual ~Sender() = default;

  virtual bool connected() const = 0;
  // kUnavailable: not connected, or too many are in flight; kConflict: not, or no longer, connected
  // under the client id `under`, or that has no lease any more. If ok, `on_done` is called exactly
  // once, on any thread.
  virtual base::Status Publish(mqtt::OutgoingMessage message, const std::string& under,
                               mqtt::PublishCallback on_done) = 0;
  // Ends the connection, and with it whatever is still on its way.
  virtual void Reconnect() = 0;
};

}  // namespace heliograph::dispatch
