#include "kafka/config.h"

#include <gtest/gtest.h>

#include "config/config.h"

namespace heliograph::kafka {
namespace {

TEST(TopicSpecText, IsNamePartitionsReplicas) {
  const auto spec = ParseTopicSpec("device.control:12:3");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->name, "device.control");
  EXPECT_EQ(spec->partitions, 12);
  EXPECT_EQ(spec->replicas, 3);
}

TEST(TopicSpecText, RefusesWhatKafkaWouldRefuse) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "nothing"},
      {"device.control", "no counts"},
      {"device.control:3", "no replicas"},
      {":3:2", "no name"},
      {"device control:3:2", "a space in the name"},
      {"..:3:2", "a folder's name"},
      {"a:0:1", "no partition"},
      {"a:1:0", "no replica"},
      {"a:-1:1", "a negative count"},
      {"a:3x:1", "a count with more behind it"},
      {"a:3:1:1", "one field too many"},
      {"a:99999999999999999999:1", "a count beyond an int"},
  };
  for (const auto& [text, why] : cases) {
    const auto spec = ParseTopicSpec(text);
    ASSERT_FALSE(spec) << why;
    EXPECT_EQ(spec.error().code, base::ErrorCode::kInvalidArgument) << why;
  }
  EXPECT_FALSE(ParseTopicSpec(std::string(250, 'a') + ":1:1")) << "Kafka's limit is 249";
}

TEST(PassThrough, TakesWhatASiteNeeds) {
  EXPECT_EQ(CheckProperties({{"security.protocol", "sasl_ssl"},
                             {"sasl.mechanism", "SCRAM-SHA-512"},
                             {"sasl.username", "ingest"},
                             {"linger.ms", "20"},
                             {"reconnect.backoff.max.ms", "500"}}),
            "");
}

TEST(PassThrough, RefusesWhatAPromiseStandsOn) {
  for (const char* name :
       {"enable.idempotence", "acks", "request.required.acks", "message.timeout.ms",
        "delivery.timeout.ms", "max.in.flight", "partitioner", "auto.offset.reset",
        "enable.auto.commit", "partition.assignment.strategy", "retries"}) {
    EXPECT_NE(CheckProperties({{name, "1"}}).find(name), std::string::npos) << name;
  }
}

TEST(PassThrough, RefusesPasswordsAndMistakes) {
  EXPECT_NE(CheckProperties({{"sasl.password", "s3cret"}}).find("sasl_password_file"),
            std::string::npos);
  EXPECT_EQ(CheckProperties({{"sasl.password", "s3cret"}}).find("s3cret"), std::string::npos)
      << "not in a message";
  EXPECT_NE(CheckProperties({{"ssl.key.password", "x"}}), "");
  EXPECT_NE(CheckProperties({{"no.such.property", "x"}}), "");
  EXPECT_NE(CheckProperties({{"linger.ms", "soon"}}), "");
}

TEST(PassThrough, IsCheckedWithTheSettings) {
  ClusterConfig cluster;
  cluster.properties = {{"acks", "0"}};
  const auto mistakes = config::Load({.file = "", .program = "heliograph-x", .environment = {}},
                                     [&](config::Binder& binder) { cluster.Bind(binder); });
  ASSERT_EQ(mistakes.size(), 1U);
  EXPECT_NE(mistakes.front().find("acks"), std::string::npos);
}

}  // namespace
}  // namespace heliograph::kafka
