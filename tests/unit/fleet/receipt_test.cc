#include "fleet/receipt.h"

#include <gtest/gtest.h>

namespace heliograph::fleet {
namespace {

TEST(Correlation, NamesTheMessage) {
  for (const auto channel : {device::Channel::kControl, device::Channel::kData}) {
    const Asked asked{channel, 18'446'744'073'709'551'615U};
    EXPECT_EQ(ReadCorrelation(CorrelationOf(asked, "run:1"), "run:1"), asked);
  }
}

TEST(Correlation, OfAnotherRunOrKindIsNotOurs) {
  for (const char* data : {"", "data", "data:", "data:1", "data:1:", "data:1:r2", "data::r1",
                           "data:-1:r1", "data:1r1", "in:1:r1", "data:99999999999999999999:r1"}) {
    EXPECT_FALSE(ReadCorrelation(data, "r1")) << data;
  }
}

TEST(IsReceipt, OnlyWhatSaysStored) {
  EXPECT_TRUE(IsReceipt(
      R"({"type":"receipt","message_id":"m","content":{"state":"stored","partition":1,"offset":2}})"));
  for (const char* payload :
       {"", "{", "[]", "7", "{}", R"({"type":"receipt"})",
        R"({"type":"receipt","content":"stored"})", R"({"type":"receipt","content":{}})",
        R"({"type":"receipt","content":{"state":7}})",
        R"({"type":"receipt","content":{"state":"lost"}})",
        R"({"type":"command","content":{"state":"stored"}})"}) {
    EXPECT_FALSE(IsReceipt(payload)) << payload;
  }
}

}  // namespace
}  // namespace heliograph::fleet
