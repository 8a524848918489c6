// The fleet against a real Mosquitto over mutual TLS. A reader hears what it says, as ingest would.
#include "fleet/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <map>
#include <set>

#include "base/startup_error.h"
#include "fleet/flags.h"
#include "fleet/numbered.h"
#include "integration/mqtt/recorder.h"
#include "json/json.h"
#include "support/broker.h"

namespace heliograph::fleet {
namespace {

using mqtt::Heard;
using mqtt::Recorder;
using testing::HasSubstr;

// Orders to a fleet in this process: its standard input is a pipe while this lives.
class Input {
 public:
  Input() : saved_(::dup(0)) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    ::dup2(ends[0], 0);
    ::close(ends[0]);
    write_ = ends[1];
  }
  ~Input() {
    ::close(write_);
    ::dup2(saved_, 0);
    ::close(saved_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  void Say(const std::string& line) const {
    ASSERT_EQ(::write(write_, (line + "\n").data(), line.size() + 1),
              static_cast<ssize_t>(line.size() + 1));
  }

 private:
  int saved_;
  int write_ = -1;
};

// Thousands of connections need more descriptors than most shells allow; the broker inherits this.
struct ManyDescriptors {
  ManyDescriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 16'384));
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
};

class FleetTest : public testing::Test {
 protected:
  FleetTest() {
    reader_config_.hosts = {broker_.Host()};
    reader_config_.ca_file = broker_.File("ca.crt");
    reader_config_.cert_file = broker_.File("client.crt");
    reader_config_.key_file = broker_.File("client.key");
    mqtt::ClientOptions options;
    options.client_id = "@reader";
    options.clean_start = false;
    options.session_expiry = std::chrono::hours(1);
    options.receive_maximum = 1000;
    reader_.emplace(reader_config_, options);
    reader_->on_message = [this] { Count(reader_->heard.back().payload); };
  }

  void SetUp() override { ListenAgain(); }

  void ListenAgain() {
    ASSERT_TRUE(reader_->Online()) << reader_->ended;
    for (const char* filter : {"heliograph/+/control/out", "heliograph/+/data/out"}) {
      ASSERT_TRUE(reader_->SubscribeTo(filter, 1));
    }
  }

  Options OptionsFor(int devices) {
    Options options;
    options.port = broker_.port();
    options.certs = broker_.File("");
    options.devices = devices;
    options.client_id_prefix = "solar-";
    options.interval = std::chrono::milliseconds(0);
    for (int i = 1; i <= devices; ++i) {
      const std::string name = "solar-" + std::to_string(i);
      broker_.authority().Issue({.common_name = name}, broker_.File(name + ".crt"),
                                broker_.File(name + ".key"));
    }
    return options;
  }

  static std::future<int> Start(const Options& options) {
    return std::async(std::launch::async, [options] { return Fleet(options).Run(); });
  }

  bool HearUntil(const std::function<bool()>& done) {
    return reader_->RunUntil(done, true, std::chrono::seconds(30));
  }

  std::vector<json::Value> HeardOn(const std::string& topic) const {
    std::vector<json::Value> values;
    for (const Heard& one : reader_->heard) {
      if (one.topic == topic) values.push_back(*json::Parse(one.payload));
    }
    return values;
  }

  // Kept while messages come: the condition of a wait is asked after each of them.
  void Count(const std::string& payload) {
    const auto holds = [&](const char* text) { return payload.find(text) != std::string::npos; };
    online_ += holds(R"("state":"online")") ? 1U : 0U;
    if (holds(R"("state":"offline")")) ++(holds("connection_lost") ? wills_ : goodbyes_);
  }
  std::size_t CountStates(const std::string& state) const {
    return state == "online" ? online_ : wills_ + goodbyes_;
  }

  void Send(const std::string& topic, const std::string& payload) {
    ASSERT_TRUE(reader_->client.Publish({.topic = topic, .payload = payload}));
  }

  ManyDescriptors descriptors_;
  support::Broker broker_{{.lines = {"max_queued_messages 0", "use_username_as_clientid false",
                                     "persistent_client_expiration 1d"}}};
  mqtt::ConnectionConfig reader_config_;
  std::optional<Recorder> reader_;
  std::size_t online_ = 0;
  std::size_t wills_ = 0;
  std::size_t goodbyes_ = 0;
};

// Per device: the sequence numbers in the order in which they were heard; every message must be
// whole.
std::map<std::string, std::vector<std::uint64_t>> Numbers(const std::vector<Heard>& heard,
                                                          const std::string& run) {
  std::map<std::string, std::vector<std::uint64_t>> numbers;
  for (const Heard& one : heard) {
    if (one.payload.find("\"number\"") == std::string::npos) continue;
    const auto number = ReadNumber(one.payload);
    EXPECT_TRUE(number) << one.payload;
    if (!number) continue;
    EXPECT_EQ(number->run, run);
    EXPECT_EQ(one.topic, "heliograph/" + number->device + "/" +
                             std::string(device::ChannelName(number->channel)) + "/out");
    numbers[one.topic].push_back(number->sequence);
  }
  return numbers;
}

std::vector<std::uint64_t> FirstSeen(const std::vector<std::uint64_t>& all) {
  std::vector<std::uint64_t> first;
  std::set<std::uint64_t> seen;
  for (const std::uint64_t one : all) {
    if (seen.insert(one).second) first.push_back(one);
  }
  return first;
}

std::vector<std::uint64_t> UpTo(std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 1; i <= last; ++i) all.push_back(i);
  return all;
}

// "" when every number up to `last` was heard, each for the first time in its order.
std::string Judge(const std::vector<std::uint64_t>& all, std::uint64_t last) {
  const std::vector<std::uint64_t> first = FirstSeen(all);
  if (first == UpTo(last)) return "";
  if (first.size() != last) return std::to_string(last - first.size()) + " are missing";
  const auto expected = UpTo(last);
  const auto at = std::mismatch(first.begin(), first.end(), expected.begin());
  return "out of order: " + std::to_string(*at.first) + " stands where " +
         std::to_string(*at.second) + " belongs";
}

TEST_F(FleetTest, TwoHundredDevicesNumberTheirMessagesAndAllAreAcknowledged) {
  Options options = OptionsFor(200);
  options.numbered = true;
  options.channels = "both";
  options.messages = 50;
  options.rate = 20'000;
  options.run = "r1";
  options.acks = broker_.File("acks.jsonl");
  auto running = Start(options);
  ASSERT_TRUE(HearUntil([&] { return CountStates("offline") == 200; })) << reader_->ended;
  EXPECT_EQ(running.get(), 0);
  const auto numbers = Numbers(reader_->heard, "r1");
  EXPECT_EQ(numbers.size(), 400U) << "200 devices on two channels";
  for (const auto& [topic, heard] : numbers) EXPECT_EQ(heard, UpTo(25)) << topic;

  std::ifstream acks(options.acks);
  std::size_t lines = 0;
  for (std::string line; std::getline(acks, line); ++lines) {
    auto ack = json::Parse(line);
    ASSERT_TRUE(ack) << line;
    EXPECT_EQ((*ack)["last"], 25);
    EXPECT_EQ((*ack)["acknowledged"], json::Value::array({{1, 25}})) << line;
  }
  EXPECT_EQ(lines, 400U);
}

TEST_F(FleetTest, AcrossABrokerRestartEverythingComesInOrder) {
  Options options = OptionsFor(5);
  options.numbered = true;
  options.messages = 3000;
  options.rate = 5000;
  options.run = "r2";
  auto running = Start(options);
  ASSERT_TRUE(HearUntil([&] { return reader_->heard.size() > 3000; })) << reader_->ended;
  // A clean end of the broker, which keeps what it acknowledged; the fleet is in the middle of its
  // work.
  broker_.Stop();
  while (reader_->RunUntil([] { return false; }, true, std::chrono::milliseconds(10))) {
  }
  broker_.Start();
  ListenAgain();
  ASSERT_TRUE(HearUntil([&] { return goodbyes_ == 5; })) << reader_->ended;
  EXPECT_EQ(running.get(), 0);
  const auto numbers = Numbers(reader_->heard, "r2");
  ASSERT_EQ(numbers.size(), 5U);
  for (const auto& [topic, heard] : numbers) EXPECT_EQ(Judge(heard, 3000), "") << topic;
}

TEST_F(FleetTest, KeepsWhatHasNoReceiptAndSendsItAgain) {
  Options options = OptionsFor(2);
  options.numbered = true;
  options.channels = "both";
  options.receipts = true;
  options.receipt_timeout = std::chrono::milliseconds(500);
  options.max_unreceipted = 10;
  options.messages = 40;
  options.rate = 2000;
  options.run = "r3";
  options.acks = broker_.File("acks.jsonl");
  std::map<std::string, int> seen;
  reader_->on_message = [&] {
    const Heard& one = reader_->heard.back();
    Count(one.payload);
    const auto number = ReadNumber(one.payload);
    if (!number) return;
    EXPECT_EQ(one.response_topic, "heliograph/" + number->device + "/control/in");
    const int times = ++seen[one.topic + one.correlation_data];
    // As if a broker had forgotten every fifth.
    if (number->sequence % 5 == 0 && times == 1) return;
    EXPECT_TRUE(reader_->client.Publish(
        {.topic = one.response_topic,
         .payload = R"({"type":"receipt","content":{"state":"stored","partition":0,"offset":1}})",
         .correlation_data = one.correlation_data}));
  };
  auto running = Start(options);
  ASSERT_TRUE(HearUntil([&] { return goodbyes_ == 2; })) << reader_->ended;
  EXPECT_EQ(running.get(), 0) << "it waits for the last receipt";
  EXPECT_EQ(seen.size(), 80U);
  for (const auto& [topic, heard] : Numbers(reader_->heard, "r3")) {
    EXPECT_EQ(std::set(heard.begin(), heard.end()).size(), 20U) << topic;
    EXPECT_GE(heard.size(), 24U) << topic << ": every fifth twice";
  }
  std::ifstream acks(options.acks);
  for (std::string line; std::getline(acks, line);) {
    EXPECT_EQ((*json::Parse(line))["receipted"], json::Value::array({{1, 20}})) << line;
  }
}

TEST_F(FleetTest, ComesOnlineSendsTelemetryAndSaysGoodbye) {
  const Input input;
  Options options = OptionsFor(2);
  options.interval = std::chrono::seconds(1);
  auto running = Start(options);
  ASSERT_TRUE(HearUntil([&] {
    return !HeardOn("heliograph/solar-1/data/out").empty() &&
           !HeardOn("heliograph/solar-2/data/out").empty();
  }));
  const json::Value online = HeardOn("heliograph/solar-1/control/out").at(0);
  EXPECT_EQ(online["content"]["state"], "online");
  EXPECT_EQ(online["content"]["client_name"], "heliograph-fleet");
  const json::Value telemetry = HeardOn("heliograph/solar-1/data/out").at(0);
  EXPECT_EQ(telemetry["directive"], "monitoring.pms");
  EXPECT_EQ(telemetry["content"]["datasets"][0]["data"][0]["pack"]["cell"]["volts"].size(), 14U);
  input.Say("quit");
  ASSERT_TRUE(HearUntil([&] { return CountStates("offline") == 2; }));
  EXPECT_EQ(running.get(), 0);
  const json::Value offline = HeardOn("heliograph/solar-1/control/out").back();
  EXPECT_EQ(offline["content"]["session_id"], online["content"]["session_id"]);
  EXPECT_FALSE(offline["content"].contains("reason")) << "it said so itself";
}

TEST_F(FleetTest, AnswersActionsOnceAndCommands) {
  const Input input;
  Options options = OptionsFor(1);
  options.stages = true;
  auto running = Start(options);
  ASSERT_TRUE(HearUntil([&] { return CountStates("online") == 1; }));
  const std::string action =
      R"({"type":"data","message_id":"a-1","response_to":"","version":1,"sent":"","directive":"echo","metadata":{},"content":{"say":"hello"}})";
  Send("heliograph/solar-1/data/in", action);
  ASSERT_TRUE(HearUntil([&] { return HeardOn("heliograph/solar-1/data/out").size() == 3; }));
  const json::Value result = HeardOn("heliograph/solar-1/data/out").back();
  EXPECT_EQ(result["response_to"], "a-1");
  EXPECT_EQ(result["metadata"]["status"], "succeeded");
  EXPECT_EQ(result["content"]["say"], "hello");
  Send("heliograph/solar-1/data/in", action);
  ASSERT_TRUE(HearUntil([&] { return HeardOn("heliograph/solar-1/data/out").size() == 4; }))
      << "a repeat is answered, without the stages of a run";

  Send("heliograph/solar-1/control/in",
       R"({"type":"command","message_id":"c-1","content":{"command":"ping","arguments":{}}})");
  ASSERT_TRUE(HearUntil([&] { return HeardOn("heliograph/solar-1/control/out").size() == 2; }));
  EXPECT_EQ(HeardOn("heliograph/solar-1/control/out").back()["content"], "pong");
  Send(
      "heliograph/solar-1/control/in",
      R"({"type":"command","message_id":"c-2","content":{"command":"reconnect","arguments":{"delay":"0"}}})");
  ASSERT_TRUE(HearUntil([&] { return CountStates("online") == 2; }));
  EXPECT_EQ(CountStates("offline"), 1U);
  Send(
      "heliograph/solar-1/control/in",
      R"({"type":"command","message_id":"c-3","content":{"command":"disconnect","arguments":null}})");
  ASSERT_TRUE(HearUntil([&] { return CountStates("offline") == 2; }));
  input.Say("quit");
  EXPECT_EQ(running.get(), 0);
}

TEST_F(FleetTest, DiesWithoutAWordFlapsAndComesBack) {
  const Input input;
  auto running = Start(OptionsFor(3));
  ASSERT_TRUE(HearUntil([&] { return CountStates("online") == 3; }));
  input.Say("kill solar-1");
  ASSERT_TRUE(HearUntil([&] { return CountStates("offline") == 1; }));
  const auto said = HeardOn("heliograph/solar-1/control/out");
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said[1]["content"]["reason"], "connection_lost") << "the last will";
  EXPECT_EQ(said[1]["content"]["session_id"], said[0]["content"]["session_id"]);
  input.Say("online solar-1");
  ASSERT_TRUE(HearUntil([&] { return CountStates("online") == 4; }));
  const auto back = HeardOn("heliograph/solar-1/control/out").back();
  EXPECT_NE(back["content"]["session_id"], said[0]["content"]["session_id"]) << "another session";
  input.Say("flap solar-2 5");
  ASSERT_TRUE(HearUntil([&] { return CountStates("offline") == 6 && CountStates("online") == 9; }));
  input.Say("offline solar-*");
  ASSERT_TRUE(HearUntil([&] { return CountStates("offline") == 9; }));
  EXPECT_FALSE(HeardOn("heliograph/solar-3/control/out").back()["content"].contains("reason"));
  input.Say("quit");
  EXPECT_EQ(running.get(), 0);
}

TEST_F(FleetTest, DeadOnTimeItLeavesOnlyWills) {
  Options options = OptionsFor(4);
  options.die_after = std::chrono::seconds(1);
  auto running = Start(options);
  ASSERT_TRUE(HearUntil([&] { return CountStates("offline") == 4; }));
  EXPECT_EQ(running.get(), 0);
  for (int i = 1; i <= 4; ++i) {
    const auto said = HeardOn("heliograph/solar-" + std::to_string(i) + "/control/out");
    EXPECT_EQ(said.back()["content"]["reason"], "connection_lost");
  }
}

TEST_F(FleetTest, ARateIsOfAllDevicesTogether) {
  Options options = OptionsFor(10);
  options.rate = 500;
  options.duration = std::chrono::seconds(4);
  auto running = Start(options);
  ASSERT_TRUE(HearUntil([&] { return CountStates("offline") == 10; })) << reader_->ended;
  EXPECT_EQ(running.get(), 0);
  const auto sent =
      std::count_if(reader_->heard.begin(), reader_->heard.end(),
                    [](const Heard& one) { return one.topic.ends_with("/data/out"); });
  EXPECT_LE(sent, 500 * 4 + 100)
      << "a turn that came late makes up for at most a tenth of a second";
  EXPECT_GE(sent, 1000) << "less only where connecting took long, or the machine let it wait";
}

TEST_F(FleetTest, TwoThousandDevicesComeOnline) {
  const Input input;
  Options options = OptionsFor(2000);
  options.duration = std::chrono::seconds(200);  // that a failure ends, too
  auto running = Start(options);
  const bool all = reader_->RunUntil([&] { return CountStates("online") >= 2000; }, true,
                                     std::chrono::seconds(180));
  ASSERT_TRUE(all) << online_ << " are online; " << reader_->ended;
  std::set<std::string> topics;
  for (const Heard& one : reader_->heard) topics.insert(one.topic);
  EXPECT_EQ(topics.size(), 2000U) << "each on its own topic";
  input.Say("quit");
  EXPECT_EQ(running.get(), 0) << "none never came";
}

TEST_F(FleetTest, DoesNotStartWithTheWrongCertificates) {
  Options options = OptionsFor(1);
  options.devices = 2;
  try {
    Fleet fleet(options);
    FAIL() << "solar-2 has no certificate";
  } catch (const base::StartupError& error) {
    EXPECT_THAT(error.what(), HasSubstr("solar-2.crt"));
  }
  broker_.authority().Issue({.common_name = "somebody-else"}, broker_.File("solar-2.crt"),
                            broker_.File("solar-2.key"));
  try {
    Fleet fleet(options);
    FAIL() << "it is somebody else's";
  } catch (const base::StartupError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is for 'somebody-else', not for 'solar-2'"));
  }
}

}  // namespace
}  // namespace heliograph::fleet
