// What people and scripts read of a fleet: docs/FLEET.md names these words.
#include "fleet/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::fleet {
namespace {

using testing::HasSubstr;

// Four seconds of twenty devices with nothing to complain about.
Totals Calm() {
  Totals totals;
  totals.counters.online = 19;
  totals.counters.sent = 1600;
  totals.counters.acknowledged = 1596;
  totals.devices = 20;
  totals.seconds = 4.2;
  return totals;
}

Counters ASecondBefore() {
  Counters before;
  before.sent = 1200;
  before.acknowledged = 1198;
  return before;
}

constexpr const char* kProgress =
    "     4s  online 19/20  sent 1600 (+400)  acknowledged 1596 (+398)";
constexpr const char* kSummary = "20 devices, 4.2 s: 1600 messages sent, 1596 acknowledged (380/s)";

TEST(ProgressLine, TellsAllAndWhatIsNew) {
  EXPECT_EQ(ProgressLine(Calm(), ASecondBefore()), kProgress);
}

TEST(ProgressLine, OfTheFirstSecondEverythingIsNew) {
  EXPECT_THAT(ProgressLine(Calm(), {}), HasSubstr("sent 1600 (+1600)  acknowledged 1596 (+1596)"));
}

TEST(SummaryLine, TellsTheRateOfWhatWasAcknowledged) { EXPECT_EQ(SummaryLine(Calm()), kSummary); }

TEST(SummaryLine, OfNoTimeHasNoRate) {
  Totals totals = Calm();
  totals.seconds = 0;
  EXPECT_THAT(SummaryLine(totals), HasSubstr("1596 acknowledged (0/s)"));
}

TEST(Lines, NameOnlyWhatHappened) {
  const struct {
    std::uint64_t Counters::* counter;
    const char* word;
  } kWords[] = {
      {&Counters::resent, "resent"},
      {&Counters::forgotten, "forgotten"},
      {&Counters::no_subscriber, "nobody-listened"},
      {&Counters::refused, "refused"},
      {&Counters::actions, "actions"},
      {&Counters::losses, "lost-connections"},
  };
  for (const auto& [counter, word] : kWords) {
    Totals totals = Calm();
    totals.counters.*counter = 3;
    const std::string told = "  " + std::string(word) + " 3";
    EXPECT_EQ(ProgressLine(totals, ASecondBefore()), kProgress + told);
    EXPECT_EQ(SummaryLine(totals), kSummary + told);
  }
}

TEST(Lines, NameWhatIsNotYetAcknowledged) {
  Totals totals = Calm();
  totals.outstanding = 4;
  EXPECT_EQ(ProgressLine(totals, ASecondBefore()), kProgress + std::string("  outstanding 4"));
  EXPECT_EQ(SummaryLine(totals), kSummary + std::string("  outstanding 4"));
}

TEST(Lines, OnlyTheSummaryKnowsWhoNeverCame) {
  Totals totals = Calm();
  totals.never_online = 1;
  EXPECT_EQ(ProgressLine(totals, ASecondBefore()), kProgress) << "it may still come";
  EXPECT_EQ(SummaryLine(totals), kSummary + std::string("  never-online 1"));
}

TEST(SummaryJson, HasEveryFigureUnderItsName) {
  Totals totals;
  totals.counters = {.online = 1,
                     .connects = 2,
                     .losses = 3,
                     .sent = 4,
                     .resent = 5,
                     .acknowledged = 6,
                     .no_subscriber = 7,
                     .refused = 8,
                     .forgotten = 9,
                     .actions = 10,
                     .answers = 11,
                     .receipts = 12};
  totals.devices = 13;
  totals.never_online = 14;
  totals.outstanding = 15;
  totals.seconds = 16.5;
  const auto told = json::Parse(SummaryJson(totals));
  ASSERT_TRUE(told);
  const json::Value figures = {
      {"online", 1},    {"connects", 2},      {"lost_connections", 3}, {"sent", 4},
      {"resent", 5},    {"acknowledged", 6},  {"no_subscriber", 7},    {"refused", 8},
      {"forgotten", 9}, {"actions", 10},      {"answers", 11},         {"receipts", 12},
      {"devices", 13},  {"never_online", 14}, {"outstanding", 15},     {"seconds", 16.5}};
  for (const auto& [name, figure] : figures.items()) EXPECT_EQ((*told)[name], figure) << name;
}

TEST(WriteAcks, SaysThatAFileCannotBeWritten) {
  const base::Status written = WriteAcks("/no/such/folder/acks.jsonl", "run", {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, base::ErrorCode::kUnavailable);
  EXPECT_THAT(written.error().message, HasSubstr("/no/such/folder/acks.jsonl"));
}

}  // namespace
}  // namespace heliograph::fleet
