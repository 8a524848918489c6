// What the second connection hears of a real broker that drops messages, because a session that is
// away is full.
#include "ingest/heartbeat.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "integration/mqtt/recorder.h"
#include "support/broker.h"

namespace heliograph::ingest {
namespace {

using std::chrono::steady_clock;

constexpr int kQueue = 10;
constexpr std::size_t kMessages = 60;

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = steady_clock::now() + std::chrono::seconds(15);
  while (!condition()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

class HeartbeatTest : public testing::Test {
 protected:
  HeartbeatTest() {
    config_.connection.hosts = {broker_.Host()};
    config_.connection.ca_file = broker_.File("ca.crt");
    config_.connection.cert_file = broker_.File("client.crt");
    config_.connection.key_file = broker_.File("client.key");
  }

  // A session that is kept and away gets more than its queue takes; its publisher is told that all
  // is well.
  void Overfill() {
    mqtt::ClientOptions kept;
    kept.client_id = "away";
    kept.clean_start = false;
    kept.session_expiry = std::chrono::hours(1);
    mqtt::Recorder away(config_.connection, kept);
    ASSERT_TRUE(away.Online()) << away.ended;
    ASSERT_TRUE(away.SubscribeTo("full", 1)) << away.ended;
    away.client.Disconnect();
    mqtt::ClientOptions passing;
    passing.client_id = "writer";
    mqtt::Recorder writer(config_.connection, passing);
    ASSERT_TRUE(writer.Online()) << writer.ended;
    for (std::size_t i = 0; i < kMessages; ++i) {
      ASSERT_TRUE(writer.client.Publish({.topic = "full", .payload = "x"}));
    }
    ASSERT_TRUE(writer.RunUntil([&] { return writer.published.size() == kMessages; }));
    for (const auto& [id, reason] : writer.published) EXPECT_EQ(reason, mqtt::kReasonSuccess);
  }

  support::Broker broker_{
      {.lines = {"max_queued_messages " + std::to_string(kQueue), "sys_interval 1"}}};
  MqttConfig config_;
  const base::SystemClock clock_;
};

TEST_F(HeartbeatTest, HearsThatTheBrokerDropsMessages) {
  const Heartbeat heartbeat(config_, "heliograph/@ingest/control/out", clock_, 0);
  ASSERT_TRUE(Eventually([&] { return heartbeat.dropped().has_value(); })) << heartbeat.problem();
  EXPECT_EQ(heartbeat.dropped(), 0);
  Overfill();
  EXPECT_TRUE(Eventually([&] { return heartbeat.dropped() > 0; }));
  EXPECT_LE(heartbeat.dropped(), static_cast<std::int64_t>(kMessages));
}

TEST_F(HeartbeatTest, HearsWhatWasDroppedWhileNobodyListened) {
  Overfill();
  const Heartbeat heartbeat(config_, "heliograph/@ingest/control/out", clock_, 0);
  EXPECT_TRUE(Eventually([&] { return heartbeat.dropped() > 0; }))
      << "ingest was away, which is when its queue fills";
}

TEST_F(HeartbeatTest, TellsHowLongTheBrokerIsSilent) {
  const Heartbeat heartbeat(config_, "heliograph/@ingest/control/out", clock_, 0);
  EXPECT_FALSE(heartbeat.silence()) << "nothing was heard yet";
  ASSERT_TRUE(Eventually([&] { return heartbeat.silence().has_value(); })) << heartbeat.problem();
  broker_.Pause();
  EXPECT_TRUE(Eventually([&] { return heartbeat.silence() > std::chrono::seconds(3); }));
  broker_.Resume();
  EXPECT_TRUE(Eventually([&] { return heartbeat.silence() < std::chrono::seconds(2); }));
}

}  // namespace
}  // namespace heliograph::ingest
