// Publishes an action to devices and tells what the broker said.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "action/ids.h"
#include "base/clock.h"
#include "base/result.h"
#include "device/ids.h"
#include "device/topic.h"
#include "dispatch/gate.h"
#include "dispatch/publication.h"
#include "dispatch/sender.h"
#include "metrics/metrics.h"

namespace heliograph::dispatch {

// What travels to each device.
struct Order {
  action::ActionId id;
  action::Directive directive;
  std::string payload;  // JSON
  std::map<std::string, std::string> metadata;
  base::Timestamp deadline{};     // told to the device
  base::SteadyTime give_up_at{};  // the deadline by our own clock, never later
  std::string dispatcher = {};    // Lease's holder when it was stored or claimed
};

struct PublisherOptions {
  std::chrono::milliseconds
      publish_timeout{};             // for one target; each further one adds a millisecond
  std::size_t max_packet_bytes = 0;  // what the broker takes
  std::size_t max_publishing = 32;   // actions at once
};

// Threads: any thread.
class Publisher {
 public:
  Publisher(Sender& sender, device::TopicGrammar topics, const PublisherOptions& options,
            const base::Clock& clock, metrics::Registry& metrics);

  // A place for one action that is going to be published; to be kept until Publish has returned.
  // kUnavailable: the broker is away, or all places are taken and it has not acknowledged anything
  // for a moment. Waits for at most a second.
  base::Result<Gate::Place> Enter();

  // kTooLarge: with the longest client id the packet would be more than the broker takes.
  base::Status CheckSize(const Order& order, std::span<const device::ClientId> client_ids) const;

  // QoS 1 to `{prefix}/{client_id}/data/in`, nothing after the deadline, and so that the broker
  // delivers nothing after it; nothing under another client id than the order's dispatcher. Waits
  // for the acknowledgements, at most TimeFor(client_ids.size()) and not after `give_up`; the fates
  // are in the order of the client ids. Where the broker has not acknowledged something in all that
  // time the connection is ended: what is tried again must not arrive twice for that.
  std::vector<Fate> Publish(const Order& order, std::span<const device::ClientId> client_ids,
                            base::SteadyTime give_up = base::SteadyTime::max());

  // An order for a device; both outlive the call.
  struct Delivery {
    const Order* order = nullptr;
    const device::ClientId* client_id = nullptr;
  };
  // The same for many orders.
  std::vector<Fate> Publish(std::span<const Delivery> deliveries,
                            base::SteadyTime give_up = base::SteadyTime::max());

  // Whether the broker can be reached.
  bool connected() const { return sender_.connected(); }

  std::chrono::milliseconds TimeFor(std::size_t targets) const;

 private:
  std::string Message(const Order& order) const;
  // One call of Publish.
  struct Round {
    std::shared_ptr<Publication> publication;
    base::SteadyTime give_up;
  };
  enum class Sent { kYes, kTooLate, kBrokerAway };
  Sent Send(std::size_t target, const Delivery& delivery, const std::string& message,
            const Round& round);
  void EndSilence(std::span<const Delivery> deliveries, const std::vector<Fate>& fates,
                  base::SteadyTime give_up);

  Sender& sender_;
  const device::TopicGrammar topics_;
  const PublisherOptions options_;
  const base::Clock& clock_;
  Gate gate_;
  metrics::Histogram seconds_;
  metrics::Counter crowded_out_;
};

}  // namespace heliograph::dispatch
