// The part that needs no database: what is passed over, and what is refused.
#include "recorder/data_applier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::recorder {
namespace {

TEST(PrepareData, PassesOverTelemetryAndRefusesAnswersThatAreNone) {
  metrics::Registry metrics;
  DataApplier applier(metrics);
  const auto said = [](std::string_view key, std::string_view payload) {
    return Record{0, 0, base::Timestamp{}, key, payload};
  };
  const std::vector<Record> records = {
      said("pv-1", R"({"type":"data","directive":"telemetry","content":1})"),
      said("pv-1", R"({"type":"data","response_to":"","directive":"telemetry","content":1})"),
      said("pv-1", std::string_view("\x00\xff binary", 9)),
      said("pv-1", ""),
      said("",
           R"({"type":"data","response_to":"01890a5d-ac96-774b-bcce-b302099a8057","content":1})"),
      said("pv-1", R"({"type":"data","response_to":"no-uuid","content":1})"),
      said("pv-1", R"({"response_to":"broken)"),
      said("pv-1", R"({"type":"data","content":{"response_to":"deeper inside"}})"),
  };
  std::vector<std::pair<std::size_t, std::string_view>> reasons;
  for (const Refusal& one : applier.Prepare(records)) reasons.emplace_back(one.record, one.reason);
  using testing::Pair;
  EXPECT_THAT(reasons, testing::ElementsAre(Pair(4, "bad_client_id"), Pair(5, "unknown_action"),
                                            Pair(6, "not_json")));
  EXPECT_EQ(metrics
                .AddCounter("heliograph_recorder_telemetry_total",
                            "Records of the data topic that answer nothing.")
                .Value(),
            5);
}

}  // namespace
}  // namespace heliograph::recorder
