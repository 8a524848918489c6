// What is in a request.
#include "webhooks/batch.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::webhooks {
namespace {

const base::Timestamp kAt{std::chrono::seconds(1'700'000'000)};

TEST(Batch, IsAnArrayOfItsEvents) {
  Batch batch(3);
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(batch.Add("t1.1", kAt, R"({"n":1})"));
  EXPECT_TRUE(batch.Add("t1.2", kAt + std::chrono::seconds(1), R"({"n":2})"));
  EXPECT_TRUE(batch.Add("t2.1", kAt, R"({"n":3})"));
  EXPECT_FALSE(batch.Add("t2.2", kAt, R"({"n":4})")) << "full";
  EXPECT_EQ(batch.events(), 3);
  EXPECT_EQ(batch.first_at(), kAt);
  EXPECT_EQ(batch.Id(12), "msg_12_t1_1_t2_1");
  EXPECT_EQ(batch.TakeBody(), R"([{"n":1},{"n":2},{"n":3}])");
}

TEST(Batch, IsBoundedByBytes) {
  const std::string large = "\"" + std::string(kMostBatchBytes, 'x') + "\"";
  Batch batch(100);
  EXPECT_TRUE(batch.Add("t1.1", kAt, large)) << "or it would never be delivered";
  EXPECT_FALSE(batch.Add("t1.2", kAt, "{}")) << "but alone";
  Batch other(100);
  EXPECT_TRUE(other.Add("t1.1", kAt, "{}"));
  EXPECT_FALSE(other.Add("t1.2", kAt, large));
}

TEST(Batch, EventsOfItsOwnAreCloudEvents) {
  for (const std::string& text : {WritePing("ping.7", "a \"name\"", kAt),
                                  WriteReset("reset.t2.1", "a \"name\"", kAt, "t1.1", "t2.1")}) {
    const json::Parsed event = json::Parse(text);
    ASSERT_TRUE(event) << text;
    EXPECT_EQ((*event)["specversion"], "1.0");
    EXPECT_EQ((*event)["subject"], "a \"name\"");
    EXPECT_TRUE((*event)["data"].is_object());
  }
  EXPECT_EQ((*json::Parse(WritePing("ping.7", "n", kAt)))["type"], "heliograph.ping");
  const json::Parsed reset = json::Parse(WriteReset("reset.t2.1", "n", kAt, "t1.1", "t2.1"));
  EXPECT_EQ((*reset)["type"], "heliograph.reset");
  EXPECT_EQ((*reset)["data"]["after"], "t1.1");
  EXPECT_EQ((*reset)["data"]["up_to"], "t2.1");
}

}  // namespace
}  // namespace heliograph::webhooks
