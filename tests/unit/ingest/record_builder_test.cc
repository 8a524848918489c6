#include "ingest/record_builder.h"

#include <gtest/gtest.h>

#include <map>

namespace heliograph::ingest {
namespace {

constexpr std::size_t kMaxMessageBytes = 1024 * 1024 + 64 * 1024;

RecordBuilder MakeBuilder(std::string_view prefix = "heliograph") {
  RecordBuilder builder(PlanTopics(Config()), *device::TopicGrammar::Create(prefix),
                        kMaxMessageBytes);
  builder.SetTime(base::Timestamp(std::chrono::microseconds(1'700'000'000'123'456)));
  builder.SetConnection("0123456789abcdef");
  builder.SetPartitions(3, 24);
  return builder;
}

std::map<std::string, std::string> HeadersOf(const kafka::Record& record) {
  std::map<std::string, std::string> headers;
  for (const kafka::Header& header : record.headers) headers.emplace(header.name, header.value);
  return headers;
}

TEST(Classify, KnowsWhereAMessageGoes) {
  using device::DeadLetterReason;
  struct Case {
    const char* topic;
    MessageKind kind;
    const char* client_id;
    DeadLetterReason reason;
    const char* why;
  };
  const auto none = DeadLetterReason::kBadTopic;
  const Case cases[] = {
      {"heliograph/d-1/control/out", MessageKind::kControl, "d-1", none, "control"},
      {"heliograph/d-1/data/out", MessageKind::kData, "d-1", none, "data"},
      {"heliograph/@ingest/control/out", MessageKind::kCanary, "", none, "our own canary"},
      {"heliograph/@ingest/data/out", MessageKind::kDeadLetter, "", DeadLetterReason::kBadClientId,
       "a service is no device"},
      {"heliograph/@other/control/out", MessageKind::kDeadLetter, "",
       DeadLetterReason::kBadClientId, "nor is another"},
      {"heliograph/d 1/data/out", MessageKind::kDeadLetter, "", DeadLetterReason::kBadClientId,
       "a space in the client id"},
      {"heliograph//data/out", MessageKind::kDeadLetter, "", DeadLetterReason::kBadClientId,
       "no client id"},
      {"heliograph/d-1/data/in", MessageKind::kDeadLetter, "", none, "to a device"},
      {"heliograph/d-1/other/out", MessageKind::kDeadLetter, "", none, "no such channel"},
      {"other/d-1/data/out", MessageKind::kDeadLetter, "", none, "another prefix"},
      {"", MessageKind::kDeadLetter, "", none, "nothing"},
  };
  const RecordBuilder builder = MakeBuilder();
  for (const Case& test : cases) {
    const Classified classified = builder.Classify(test.topic);
    EXPECT_EQ(classified.kind, test.kind) << test.why;
    EXPECT_EQ(classified.client_id, test.client_id) << test.why;
    if (test.kind == MessageKind::kDeadLetter) {
      EXPECT_EQ(classified.reason, test.reason) << test.why;
    }
  }
}

TEST(Classify, TakesAPrefixOfSeveralLevels) {
  const RecordBuilder builder = MakeBuilder("redhat/insights");
  EXPECT_EQ(builder.Classify("redhat/insights/d-1/data/out").client_id, "d-1");
  EXPECT_EQ(builder.Classify("redhat/insights/@ingest/control/out").kind, MessageKind::kCanary);
}

TEST(Record, CarriesThePayloadAndWhereItCameFrom) {
  RecordBuilder builder = MakeBuilder();
  const std::string payload("\0\xff not JSON", 11);
  const mqtt::IncomingMessage message{.topic = "heliograph/d-1/control/out",
                                      .payload = payload,
                                      .qos = 1,
                                      .retain = true,
                                      .response_topic = {},
                                      .correlation_data = {}};
  const kafka::Record record = builder.Build(message, builder.Classify(message.topic));
  EXPECT_EQ(record.topic, "device.control");
  EXPECT_EQ(record.key, "d-1");
  EXPECT_EQ(record.payload.data(), payload.data()) << "not copied";
  EXPECT_EQ(record.payload.size(), payload.size());
  const std::map<std::string, std::string> expected = {
      {"mqtt.topic", "heliograph/d-1/control/out"},
      {"mqtt.qos", "1"},
      {"mqtt.retain", "1"},
      {"ingest.received", "2023-11-14T22:13:20.123456Z"},
      {"ingest.connection", "0123456789abcdef"},
      {"ingest.partitions", "3"}};
  EXPECT_EQ(HeadersOf(record), expected);
  EXPECT_EQ(record.partitions, 3);
}

TEST(Record, TellsEveryQos) {
  RecordBuilder builder = MakeBuilder();
  for (const int qos : {0, 1, 2}) {
    const mqtt::IncomingMessage message{.topic = "heliograph/d-1/data/out",
                                        .payload = "x",
                                        .qos = qos,
                                        .retain = false,
                                        .response_topic = {},
                                        .correlation_data = {}};
    const kafka::Record record = builder.Build(message, builder.Classify(message.topic));
    EXPECT_EQ(record.topic, "device.data");
    EXPECT_EQ(HeadersOf(record).at("mqtt.qos"), std::to_string(qos));
    EXPECT_EQ(HeadersOf(record).at("mqtt.retain"), "0");
    EXPECT_EQ(HeadersOf(record).at("ingest.partitions"), "24") << "those of its own topic";
    EXPECT_EQ(record.partitions, 24);
  }
}

TEST(DeadLetter, SaysWhyAndWhence) {
  RecordBuilder builder = MakeBuilder();
  const mqtt::IncomingMessage message{.topic = "heliograph/d 1/data/out",
                                      .payload = "x",
                                      .qos = 1,
                                      .retain = false,
                                      .response_topic = {},
                                      .correlation_data = {}};
  const kafka::Record record =
      builder.BuildDeadLetter(message, device::DeadLetterReason::kBadClientId, "", "because");
  EXPECT_EQ(record.topic, "device.dead-letter");
  EXPECT_EQ(record.key, "");
  EXPECT_EQ(record.payload, "x");
  EXPECT_EQ(HeadersOf(record).at("reason"), "bad_client_id");
  EXPECT_EQ(HeadersOf(record).at("detail"), "because");
  EXPECT_EQ(HeadersOf(record).at("source"), "heliograph/d 1/data/out");
}

TEST(DeadLetter, IsCutToWhatKafkaTakes) {
  RecordBuilder builder = MakeBuilder();
  const std::string payload(3 * 1024 * 1024, 'x');
  const std::string topic(65'535, 't');
  const mqtt::IncomingMessage message{.topic = topic,
                                      .payload = payload,
                                      .qos = 1,
                                      .retain = false,
                                      .response_topic = {},
                                      .correlation_data = {}};
  const kafka::Record record = builder.BuildDeadLetter(message, device::DeadLetterReason::kTooLarge,
                                                       std::string(128, 'c'), "d");
  std::size_t size = record.key.size() + record.payload.size();
  for (const kafka::Header& header : record.headers)
    size += header.name.size() + header.value.size();
  EXPECT_LT(size, kMaxMessageBytes);
  EXPECT_GT(record.payload.size(), 1024U * 1024U) << "as much as fits";
}

}  // namespace
}  // namespace heliograph::ingest
