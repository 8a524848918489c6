// The session that keeps itself up: outcomes of publishes, broker restarts, limits.
#include "mqtt/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "support/broker.h"

namespace heliograph::mqtt {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::chrono::seconds kLong(10);

// Collects what callbacks of the session's thread tell.
class Outcomes {
 public:
  PublishCallback Next() {
    return [this](PublishOutcome outcome, int reason) {
      const std::lock_guard lock(mutex_);
      all_.emplace_back(outcome, reason);
      changed_.notify_all();
    };
  }
  std::vector<std::pair<PublishOutcome, int>> WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLong, [&] { return all_.size() >= count; });
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<PublishOutcome, int>> all_;  // guarded by mutex_
};

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

class SessionTest : public testing::Test {
 protected:
  explicit SessionTest(std::vector<std::string> lines = {}) : broker_({.lines = std::move(lines)}) {
    config_.hosts = {broker_.Host()};
    config_.ca_file = broker_.File("ca.crt");
    config_.cert_file = broker_.File("client.crt");
    config_.key_file = broker_.File("client.key");
    config_.connect_timeout = milliseconds(1000);
    config_.backoff_longest = milliseconds(200);
  }

  static SessionOptions Named(const std::string& client_id) {
    SessionOptions options;
    options.client.client_id = client_id;
    options.thread_name = "test";
    return options;
  }

  support::Broker broker_;
  ConnectionConfig config_;
};

TEST_F(SessionTest, TellsWhatBecameOfEachPublish) {
  SessionOptions listening = Named("listener");
  std::atomic<int> heard = 0;
  listening.subscriptions = {"heard/#"};
  listening.on_message = [&](const IncomingMessage&) { ++heard; };
  const Session listener(config_, listening);
  Session session(config_, Named("speaker"));
  ASSERT_TRUE(Eventually([&] { return session.connected() && listener.connected(); }));
  EXPECT_EQ(session.last_error(), "");
  Outcomes outcomes;
  ASSERT_TRUE(session.Publish({.topic = "heard/a", .payload = "x"}, outcomes.Next()));
  ASSERT_EQ(outcomes.WaitFor(1).size(), 1U);
  ASSERT_TRUE(session.Publish({.topic = "nobody/a", .payload = "x"}, outcomes.Next()));
  ASSERT_EQ(outcomes.WaitFor(2).size(), 2U);
  ASSERT_TRUE(session.Publish({.topic = "bad/#", .payload = "x"}, outcomes.Next()));
  const auto all = outcomes.WaitFor(3);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], std::pair(PublishOutcome::kAcknowledged, 0));
  EXPECT_EQ(all[1], std::pair(PublishOutcome::kNoMatchingSubscribers, 0x10));
  EXPECT_EQ(all[2], std::pair(PublishOutcome::kRefused, 0x90));
  EXPECT_TRUE(Eventually([&] { return heard == 1; }));
}

TEST_F(SessionTest, AsksForItsNameBeforeEachConnect) {
  SessionOptions named = Named("");
  std::atomic<int> asked = 0;
  named.identify = [&]() -> base::Result<std::string> {
    const int time = ++asked;
    if (time == 2) return base::MakeError(base::ErrorCode::kUnavailable, "no name now");
    return "name-" + std::to_string(time);
  };
  Outcomes outcomes;  // outlives the session, which tells it of what is in flight at its end
  Session session(config_, std::move(named));
  ASSERT_TRUE(Eventually([&] { return session.connected(); }));
  EXPECT_TRUE(session.Publish({.topic = "a", .payload = "x"}, outcomes.Next(), "name-1"));
  session.Reconnect();
  ASSERT_TRUE(Eventually([&] { return asked >= 3 && session.connected(); }));
  EXPECT_EQ(asked, 3) << "a name that cannot be had is asked for again";
  const base::Status old =
      session.Publish({.topic = "a", .payload = "x"}, outcomes.Next(), "name-1");
  ASSERT_FALSE(old) << "what was meant for an earlier connection";
  EXPECT_EQ(old.error().code, base::ErrorCode::kConflict);
  EXPECT_TRUE(session.Publish({.topic = "a", .payload = "x"}, outcomes.Next(), "name-3"));
  EXPECT_TRUE(session.Publish({.topic = "a", .payload = "x"}, outcomes.Next()));
}

TEST_F(SessionTest, ANewConnectionOfThatNameThrowsTheOldOneOut) {
  std::atomic<int> lost = 0;
  SessionOptions first = Named("same");
  first.on_state = [&](bool connected, const std::string&) { lost += connected ? 0 : 1; };
  std::atomic<bool> may_connect = true;
  first.identify = [&]() -> base::Result<std::string> {
    if (!may_connect) return base::MakeError(base::ErrorCode::kUnavailable, "not now");
    return std::string("same");
  };
  const Session thrown_out(config_, std::move(first));
  ASSERT_TRUE(Eventually([&] { return thrown_out.connected(); }));
  may_connect = false;
  const Session second(config_, Named("same"));
  ASSERT_TRUE(Eventually([&] { return second.connected(); }));
  EXPECT_TRUE(Eventually([&] { return !thrown_out.connected(); }));
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_TRUE(second.connected()) << "it does not come back under that name";
}

TEST_F(SessionTest, ReconnectsAndSubscribesAgainAfterABrokerRestart) {
  SessionOptions listening = Named("listener");
  std::atomic<int> heard = 0;
  std::atomic<int> ups = 0;
  std::atomic<int> downs = 0;
  listening.subscriptions = {"a", "b"};
  listening.on_message = [&](const IncomingMessage&) { ++heard; };
  listening.on_state = [&](bool up, const std::string& why) {
    if (up) {
      ++ups;
    } else {
      ++downs;
      EXPECT_NE(why, "");
    }
  };
  const Session listener(config_, listening);
  Session speaker(config_, Named("speaker"));
  ASSERT_TRUE(Eventually([&] { return speaker.connected() && ups == 1; }));
  broker_.Kill();
  ASSERT_TRUE(Eventually([&] { return !speaker.connected() && downs > 0; }));
  EXPECT_NE(speaker.last_error(), "");
  const base::Status refused = speaker.Publish({.topic = "a", .payload = ""}, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kUnavailable);

  broker_.Start();
  ASSERT_TRUE(Eventually([&] { return speaker.connected() && ups == 2; })) << speaker.last_error();
  ASSERT_TRUE(speaker.Publish({.topic = "b", .payload = ""}, nullptr));
  EXPECT_TRUE(Eventually([&] { return heard == 1; }));
}

TEST_F(SessionTest, WhatIsInFlightWhenTheConnectionEndsIsReportedAndNotSentAgain) {
  std::atomic<int> heard = 0;
  Outcomes outcomes;
  {
    Session speaker(config_, Named("speaker"));
    ASSERT_TRUE(Eventually([&] { return speaker.connected(); }));
    broker_.Pause();
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(speaker.Publish({.topic = "a", .payload = ""}, outcomes.Next()));
    }
    broker_.Kill();
    const auto all = outcomes.WaitFor(100);
    ASSERT_EQ(all.size(), 100U);
    for (const auto& one : all) EXPECT_EQ(one.first, PublishOutcome::kConnectionLost);

    broker_.Start();
    SessionOptions listening = Named("listener");
    listening.subscriptions = {"a"};
    listening.on_message = [&](const IncomingMessage&) { ++heard; };
    const Session listener(config_, listening);
    ASSERT_TRUE(Eventually([&] { return speaker.connected() && listener.connected(); }));
    ASSERT_TRUE(speaker.Publish({.topic = "a", .payload = ""}, outcomes.Next()));
    EXPECT_EQ(outcomes.WaitFor(101).back().first, PublishOutcome::kAcknowledged);
    EXPECT_TRUE(Eventually([&] { return heard == 1; }));
  }
  EXPECT_EQ(outcomes.WaitFor(101).size(), 101U) << "each exactly once";
  EXPECT_EQ(heard, 1);
}

TEST_F(SessionTest, TheDestructorReportsWhatIsInFlightAndDoesNotHang) {
  Outcomes outcomes;
  const auto begin = std::chrono::steady_clock::now();
  {
    Session speaker(config_, Named("speaker"));
    ASSERT_TRUE(Eventually([&] { return speaker.connected(); }));
    broker_.Pause();
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(speaker.Publish({.topic = "a", .payload = ""}, outcomes.Next()));
    }
  }
  EXPECT_EQ(outcomes.WaitFor(10).size(), 10U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  broker_.Resume();
}

TEST_F(SessionTest, RefusesMoreThanItsLimit) {
  SessionOptions options = Named("speaker");
  options.max_in_flight = 5;
  Session speaker(config_, options);
  ASSERT_TRUE(Eventually([&] { return speaker.connected(); }));
  broker_.Pause();
  Outcomes outcomes;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(speaker.Publish({.topic = "a", .payload = ""}, outcomes.Next()));
  }
  const base::Status refused = speaker.Publish({.topic = "a", .payload = ""}, outcomes.Next());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("5"));
  broker_.Resume();
  EXPECT_EQ(outcomes.WaitFor(5).size(), 5U);
  EXPECT_TRUE(speaker.Publish({.topic = "a", .payload = ""}, outcomes.Next()));
}

TEST_F(SessionTest, ManyFromManyThreadsGetThroughASmallReceiveMaximum) {
  Session speaker(config_, Named("speaker"));  // Mosquitto's default Receive Maximum is 20
  ASSERT_TRUE(Eventually([&] { return speaker.connected(); }));
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(
            speaker.Publish({.topic = "a", .payload = "x"}, [&](PublishOutcome, int) { ++done; }));
      }
    });
  }
  for (std::thread& one : threads) one.join();
  EXPECT_TRUE(Eventually([&] { return done == 4000; })) << done;
}

class PolicyTest : public SessionTest {
 protected:
  PolicyTest() : SessionTest({"max_packet_size 2000"}) {}
};

TEST_F(PolicyTest, AMessageOverTheBrokersLimitIsRefusedWithoutLosingTheConnection) {
  Session speaker(config_, Named("speaker"));
  ASSERT_TRUE(Eventually([&] { return speaker.connected(); }));
  Outcomes outcomes;
  ASSERT_TRUE(speaker.Publish({.topic = "a", .payload = std::string(4000, 'x')}, outcomes.Next()));
  EXPECT_EQ(outcomes.WaitFor(1).at(0), std::pair(PublishOutcome::kRefused, 0x95));
  EXPECT_TRUE(speaker.connected());
}

}  // namespace
}  // namespace heliograph::mqtt
