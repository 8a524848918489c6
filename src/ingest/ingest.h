// MQTT messages become Kafka records, and the broker may forget a message only when Kafka has it.
//
// One loop over three descriptors: the main connection's socket, Kafka's delivery reports, the
// request to stop. See window.h for the rule, and docs/ARCHITECTURE.md for why it is done in this
// way.
#pragma once

#include <memory>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/health.h"
#include "base/wakeup.h"
#include "ingest/acknowledgements.h"
#include "ingest/canary.h"
#include "ingest/config.h"
#include "ingest/heartbeat.h"
#include "ingest/instruments.h"
#include "ingest/link.h"
#include "ingest/pace.h"
#include "ingest/receipts.h"
#include "ingest/record_builder.h"
#include "ingest/window.h"
#include "kafka/producer.h"
#include "kafka/topic_watch.h"
#include "log/log.h"
#include "metrics/metrics.h"

namespace heliograph::ingest {

// Threads: one thread, the loop's.
class Ingest final : private MessageSink {
 public:
  // Throws StartupError; waits neither for the broker nor for Kafka. Dependencies in `health`:
  // mqtt, canary, kafka.
  Ingest(const Config& config, base::Health& health, metrics::Registry& registry);
  ~Ingest() override;

  // Until `stop_fd` is readable. Then what was read is confirmed and acknowledged, as long as Kafka
  // answers. Returns the exit code.
  int Run(int stop_fd);

 private:
  // What one wait found.
  struct Ready {
    bool link = false;
    bool stop = false;
  };

  void OnAccepted(const std::string& connection_id) override;
  void OnMessage(const mqtt::IncomingMessage& message) override;
  void BeginWindow();
  // See docs/decisions/0013.
  void TellExpiring(const Classified& classified);
  void Send(const mqtt::IncomingMessage& message, const Classified& classified,
            Receipts::Ticket ticket);
  void SendDeadLetter(const mqtt::IncomingMessage& message, const Classified& classified,
                      const std::string& detail, Receipts::Ticket ticket);

  Ready Wait(int stop_fd);
  int WaitMilliseconds() const;
  std::chrono::milliseconds Gather() const;
  bool MayRead() const;
  void ServeKafka();
  void ServeLink(bool ready);
  void ServeConnection(bool ready);
  void ServeNoConnection();
  void Register(bool ready);
  void AcknowledgeWhenConfirmed();
  void Acknowledge();
  void ResetWindow();
  void GiveWindowUp(Redelivery why, const std::string& reason);
  void ReplaceProducer(const std::string& why);
  void MakeProducer();
  std::string KafkaProblem() const;
  void Tick();
  void TellHealth();
  void Finish();

  const Config& config_;
  base::Health& health_;
  const base::SystemClock clock_;
  const log::Logger logger_{"ingest"};
  log::RateLimit redelivery_limit_{std::chrono::seconds(10)};
  log::RateLimit expiring_limit_{std::chrono::minutes(1)};
  log::RateLimit replace_limit_{std::chrono::seconds(10)};
  log::RateLimit dead_letter_limit_{std::chrono::seconds(10)};
  const device::TopicGrammar grammar_;
  const Topics topics_;
  Instruments instruments_;
  RecordBuilder builder_;
  Window window_;
  Canary canary_;
  Receipts receipts_;
  base::Wakeup kafka_wakeup_;  // delivery reports, and news of the topics
  std::string kafka_error_;    // why Kafka has refused a record; "" since a window was confirmed
  std::size_t confirmed_ = 0;  // records of this window
  std::unique_ptr<kafka::Producer> producer_;  // its last reports use what stands above
  kafka::TopicWatch topic_watch_;
  Link link_;
  Acknowledgements acknowledgements_;
  Heartbeat heartbeat_;

  base::SteadyTime now_;  // of this pass
  base::SteadyTime next_tick_;
  base::SteadyTime started_;
  Pace pace_;
  bool resting_ = false;  // nothing is read until rested_at_
  base::SteadyTime rested_at_;
  // Kafka is away since the start: the connection is made only for the sake of the subscription.
  bool registering_ = false;
  bool registered_ = false;
  // After Kafka has refused records, the broker is not asked for them again at once.
  base::Backoff refusal_backoff_{std::chrono::milliseconds(200), std::chrono::seconds(4)};
  base::SteadyTime refusal_over_at_{};
};

}  // namespace heliograph::ingest
