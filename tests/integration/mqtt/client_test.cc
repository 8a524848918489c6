// The client against a real Mosquitto over mutual TLS: what it promises about acknowledgements, and
// what messages carry.
#include "mqtt/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "integration/mqtt/recorder.h"
#include "support/broker.h"

namespace heliograph::mqtt {
namespace {

using testing::ElementsAre;
using testing::Pair;

class ClientTest : public testing::Test {
 protected:
  ConnectionConfig Config() const {
    ConnectionConfig config;
    config.hosts = {broker_.Host()};
    config.ca_file = broker_.File("ca.crt");
    config.cert_file = broker_.File("client.crt");
    config.key_file = broker_.File("client.key");
    return config;
  }

  // A session that is kept while nobody is connected.
  static ClientOptions Kept(const std::string& client_id) {
    ClientOptions options;
    options.client_id = client_id;
    options.clean_start = false;
    options.session_expiry = std::chrono::hours(1);
    options.receive_maximum = 1000;
    return options;
  }

  static ClientOptions Clean(const std::string& client_id) {
    ClientOptions options;
    options.client_id = client_id;
    return options;
  }

  void PublishNumbers(Recorder& from, int count, int first = 0) {
    const std::size_t before = from.published.size();
    for (int i = first; i < first + count; ++i) {
      ASSERT_TRUE(from.client.Publish({.topic = "t/out", .payload = std::to_string(i)}));
    }
    const auto wanted = before + static_cast<std::size_t>(count);
    ASSERT_TRUE(from.RunUntil([&] { return from.published.size() == wanted; })) << from.ended;
  }

  support::Broker broker_{{.lines = {"max_queued_messages 0"}}};
  ConnectionConfig config_ = Config();
};

std::vector<std::string> Payloads(const std::vector<Heard>& heard) {
  std::vector<std::string> payloads;
  for (const Heard& one : heard) payloads.push_back(one.payload);
  return payloads;
}

TEST_F(ClientTest, AcknowledgementsLeaveOnlyInWritePending) {
  Recorder reader(config_, Kept("reader"));
  ASSERT_TRUE(reader.Online()) << reader.ended;
  EXPECT_FALSE(reader.session_present);
  ASSERT_TRUE(reader.SubscribeTo("t/out", 1));
  EXPECT_THAT(reader.subscribed, ElementsAre(1));
  Recorder writer(config_, Clean("writer"));
  ASSERT_TRUE(writer.Online()) << writer.ended;
  PublishNumbers(writer, 300);
  ASSERT_TRUE(reader.RunUntil([&] { return reader.heard.size() == 300; }, /*write=*/false));
  EXPECT_TRUE(reader.client.WantsWrite()) << "300 acknowledgements wait";
  const std::vector<std::string> first = Payloads(reader.heard);

  reader.client.Abort();
  EXPECT_EQ(reader.client.fd(), -1);
  reader.heard.clear();
  ASSERT_TRUE(reader.Online()) << reader.ended;
  EXPECT_TRUE(reader.session_present);
  ASSERT_TRUE(reader.RunUntil([&] { return reader.heard.size() == 300; }))
      << "none was acknowledged";
  EXPECT_EQ(Payloads(reader.heard), first) << "the whole window again, in order";
  ASSERT_TRUE(reader.RunUntil([&] { return !reader.client.WantsWrite(); }));
  reader.client.Disconnect();

  reader.heard.clear();
  ASSERT_TRUE(reader.Online());
  PublishNumbers(writer, 1, 1000);
  ASSERT_TRUE(reader.RunUntil([&] { return !reader.heard.empty(); }));
  EXPECT_THAT(Payloads(reader.heard), ElementsAre("1000"))
      << "the acknowledged ones never come again";
}

TEST_F(ClientTest, DisconnectFlushesWhatIsHeld) {
  Recorder reader(config_, Kept("reader"));
  ASSERT_TRUE(reader.Online());
  ASSERT_TRUE(reader.SubscribeTo("t/out", 1));
  Recorder writer(config_, Clean("writer"));
  ASSERT_TRUE(writer.Online());
  PublishNumbers(writer, 50);
  ASSERT_TRUE(reader.RunUntil([&] { return reader.heard.size() == 50; }, /*write=*/false));
  reader.client.Disconnect();

  PublishNumbers(writer, 1, 1000);
  reader.heard.clear();
  ASSERT_TRUE(reader.Online());
  ASSERT_TRUE(reader.RunUntil([&] { return !reader.heard.empty(); }));
  EXPECT_THAT(Payloads(reader.heard), ElementsAre("1000"));
}

TEST_F(ClientTest, AbortInsideACallbackEndsTheConnectionWithoutWriting) {
  Recorder reader(config_, Kept("reader"));
  ASSERT_TRUE(reader.Online());
  ASSERT_TRUE(reader.SubscribeTo("t/out", 1));
  Recorder writer(config_, Clean("writer"));
  ASSERT_TRUE(writer.Online());
  reader.on_message = [&] { reader.client.Abort(); };
  PublishNumbers(writer, 10);
  EXPECT_FALSE(reader.RunUntil([] { return false; }));
  EXPECT_NE(reader.ended.find("aborted"), std::string::npos) << reader.ended;

  reader.on_message = nullptr;
  reader.heard.clear();
  ASSERT_TRUE(reader.Online());
  ASSERT_TRUE(reader.RunUntil([&] { return reader.heard.size() == 10; }));
}

TEST_F(ClientTest, CarriesBytesAndMqtt5Properties) {
  Recorder reader(config_, Clean("reader"));
  ASSERT_TRUE(reader.Online());
  ASSERT_TRUE(reader.SubscribeTo("t/#", 1));
  Recorder writer(config_, Clean("writer"));
  ASSERT_TRUE(writer.Online());
  const std::string bytes("\x00\xff\r\n{\x80", 6);
  ASSERT_TRUE(writer.client.Publish({.topic = "t/a", .payload = bytes, .qos = 1}));
  ASSERT_TRUE(writer.client.Publish({.topic = "t/b",
                                     .payload = "",
                                     .qos = 0,
                                     .expiry = std::chrono::seconds(60),
                                     .response_topic = "t/answer",
                                     .correlation_data = std::string("\x00id\xff", 4)}));
  ASSERT_TRUE(writer.RunUntil([&] { return writer.published.size() == 2; }));
  ASSERT_TRUE(reader.RunUntil([&] { return reader.heard.size() == 2; }));
  EXPECT_EQ(reader.heard[0].payload, bytes);
  EXPECT_EQ(reader.heard[0].qos, 1);
  EXPECT_EQ(reader.heard[0].response_topic, "");
  EXPECT_EQ(reader.heard[1].payload, "");
  EXPECT_EQ(reader.heard[1].qos, 0);
  EXPECT_EQ(reader.heard[1].response_topic, "t/answer");
  EXPECT_EQ(reader.heard[1].correlation_data, std::string("\x00id\xff", 4));
}

TEST_F(ClientTest, RetainedMessagesAreNotSentAgainButTheFlagIsHandedOn) {
  Recorder writer(config_, Clean("writer"));
  ASSERT_TRUE(writer.Online());
  ASSERT_TRUE(writer.client.Publish({.topic = "t/r", .payload = "old", .retain = true}));
  ASSERT_TRUE(writer.RunUntil([&] { return writer.published.size() == 1; }));
  Recorder reader(config_, Clean("reader"));
  ASSERT_TRUE(reader.Online());
  ASSERT_TRUE(reader.SubscribeTo("t/r", 1));
  ASSERT_TRUE(writer.client.Publish({.topic = "t/r", .payload = "new", .retain = true}));
  ASSERT_TRUE(writer.RunUntil([&] { return writer.published.size() == 2; }));
  ASSERT_TRUE(reader.RunUntil([&] { return !reader.heard.empty(); }));
  EXPECT_EQ(reader.heard[0].payload, "new");
  EXPECT_TRUE(reader.heard[0].retain);
}

TEST_F(ClientTest, ALargePayloadNeedsSeveralWrites) {
  Recorder reader(config_, Clean("reader"));
  ASSERT_TRUE(reader.Online());
  ASSERT_TRUE(reader.SubscribeTo("t/big", 1));
  Recorder writer(config_, Clean("writer"));
  ASSERT_TRUE(writer.Online());
  broker_.Pause();
  const std::string big(8 << 20, 'x');
  ASSERT_TRUE(writer.client.Publish({.topic = "t/big", .payload = big}));
  ASSERT_TRUE(writer.client.WritePending());
  EXPECT_TRUE(writer.client.WantsWrite()) << "the socket took only a part, and that is no error";
  broker_.Resume();
  ASSERT_TRUE(writer.RunUntil([&] { return writer.published.size() == 1; })) << writer.ended;
  ASSERT_TRUE(reader.RunUntil([&] { return !reader.heard.empty(); }));
  EXPECT_EQ(reader.heard[0].payload, big);
}

TEST_F(ClientTest, PublishesWithoutAnAcknowledgementAreNotSentAgain) {
  Recorder reader(config_, Kept("reader"));
  ASSERT_TRUE(reader.Online());
  ASSERT_TRUE(reader.SubscribeTo("t/out", 1));
  Recorder writer(config_, Clean("writer"));
  ASSERT_TRUE(writer.Online());
  ASSERT_TRUE(writer.client.Publish({.topic = "t/out", .payload = "queued, never written"}));
  writer.client.Abort();
  ASSERT_TRUE(writer.Online());
  PublishNumbers(writer, 1);
  ASSERT_TRUE(reader.RunUntil([&] { return !reader.heard.empty(); }));
  EXPECT_THAT(Payloads(reader.heard), ElementsAre("0"));
  EXPECT_EQ(writer.published.size(), 1U);
}

TEST_F(ClientTest, TellsReasonsOfPublishes) {
  Recorder writer(config_, Clean("writer"));
  ASSERT_TRUE(writer.Online());
  const auto nobody = writer.client.Publish({.topic = "nobody/listens", .payload = "x"});
  ASSERT_TRUE(nobody);
  ASSERT_TRUE(writer.RunUntil([&] { return writer.published.size() == 1; }));
  EXPECT_THAT(writer.published, ElementsAre(Pair(*nobody, kReasonNoMatchingSubscribers)));
}

TEST_F(ClientTest, RefusesWhatMqttCannotCarry) {
  Recorder writer(config_, Clean("writer"));
  EXPECT_EQ(writer.client.Publish({.topic = "t", .payload = ""}).error().code,
            base::ErrorCode::kUnavailable)
      << "before it is connected";
  ASSERT_TRUE(writer.Online());
  for (const std::string& topic : {std::string("a/+"), std::string("a/#"), std::string(""),
                                   std::string("a\0b", 3), std::string("\xff")}) {
    EXPECT_EQ(writer.client.Publish({.topic = topic, .payload = ""}).error().code,
              base::ErrorCode::kInvalidArgument)
        << topic;
  }
  EXPECT_EQ(writer.client.Publish({.topic = "t", .payload = "", .qos = 2}).error().code,
            base::ErrorCode::kInvalidArgument);
  EXPECT_EQ(writer.client.Subscribe("t", 2).error().code, base::ErrorCode::kInvalidArgument);
}

TEST_F(ClientTest, TheWillIsPublishedWhenTheConnectionIsAborted) {
  Recorder reader(config_, Clean("reader"));
  ASSERT_TRUE(reader.Online());
  ASSERT_TRUE(reader.SubscribeTo("t/will", 1));
  ClientOptions options = Clean("mortal");
  options.will = Will{"t/will", std::string("gone\0!", 6), 1};
  Recorder mortal(config_, options);
  ASSERT_TRUE(mortal.Online());
  mortal.client.Abort();
  ASSERT_TRUE(reader.RunUntil([&] { return !reader.heard.empty(); }));
  EXPECT_EQ(reader.heard[0].payload, std::string("gone\0!", 6));
  reader.heard.clear();
  ASSERT_TRUE(mortal.Online());
  mortal.client.Disconnect();
  PublishNumbers(reader, 1);
  ASSERT_TRUE(mortal.Online());
  ASSERT_TRUE(mortal.client.Publish({.topic = "t/will", .payload = "alive"}));
  ASSERT_TRUE(mortal.RunUntil([&] { return mortal.published.size() == 1; }));
  ASSERT_TRUE(reader.RunUntil([&] { return !reader.heard.empty(); }));
  EXPECT_THAT(Payloads(reader.heard), ElementsAre("alive")) << "no will after a clean goodbye";
}

}  // namespace
}  // namespace heliograph::mqtt
