// The part that needs no database: what is refused, and why. What is applied:
// tests/integration/recorder.
#include "recorder/control_fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::recorder {
namespace {

Record Said(std::string_view key, std::string_view payload, std::int64_t offset = 0) {
  return {0, offset, base::Timestamp{}, key, payload};
}

constexpr std::string_view kOnline = R"({"type":"connection-status","content":{"state":"online"}})";

TEST(PrepareControl, RefusesWithAReasonAndKeepsTheRest) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  const std::vector<Record> records = {
      Said("pv-1", kOnline),
      Said("", kOnline),
      Said("@ingest", kOnline),
      Said("two words", kOnline),
      Said("pv-1", "not json"),
      Said("pv-1", "[1]"),
      Said("pv-1", deep),
      Said("pv-1", R"({"type":"news"})"),
      Said("pv-1", R"({"type":"connection-status","content":"online"})"),
  };
  ControlFold fold;
  const auto refused = fold.Prepare(records);
  std::vector<std::pair<std::size_t, std::string_view>> reasons;
  for (const Refusal& one : refused) reasons.emplace_back(one.record, one.reason);
  using testing::Pair;
  EXPECT_THAT(reasons, testing::ElementsAre(Pair(1, "bad_client_id"), Pair(2, "bad_client_id"),
                                            Pair(3, "bad_client_id"), Pair(4, "not_json"),
                                            Pair(5, "not_an_envelope"), Pair(6, "too_deep"),
                                            Pair(7, "unknown_type"), Pair(8, "bad_field")));
  for (const Refusal& one : refused) EXPECT_NE(one.detail, "");
}

TEST(PrepareControl, AnEmptyPayloadMeansNothingAndIsCounted) {
  const std::vector<Record> records = {Said("pv-1", ""), Said("", ""), Said("pv-1", kOnline)};
  ControlFold fold;
  EXPECT_TRUE(fold.Prepare(records).empty());
  EXPECT_EQ(fold.empty_payloads(), 2U);
}

}  // namespace
}  // namespace heliograph::recorder
