#include "recorder/log_start.h"

#include <gtest/gtest.h>

namespace heliograph::recorder {
namespace {

using std::chrono::milliseconds;

constexpr base::Timestamp kThen{milliseconds(1000)};
constexpr base::Timestamp kLater{milliseconds(2000)};

std::optional<postgres::LogOffset> Stored(std::int64_t next,
                                          std::optional<base::Timestamp> time = kThen) {
  postgres::LogOffset offset;
  offset.next_offset = next;
  offset.last_record_time = time;
  return offset;
}

TEST(DecideStart, TellsLogsApart) {
  struct Case {
    std::optional<postgres::LogOffset> stored;
    kafka::Watermarks log;
    std::optional<base::Timestamp> time;  // of the record before the stored offset
    StartKind kind;
    std::int64_t offset;
    std::int64_t missing;
    const char* why;
  };
  const Case cases[] = {
      {std::nullopt, {0, 50}, std::nullopt, StartKind::kFirst, 0, 0, "never followed"},
      {std::nullopt,
       {20, 50},
       std::nullopt,
       StartKind::kFirst,
       20,
       0,
       "never followed, and already shortened"},
      {Stored(0, std::nullopt),
       {0, 50},
       std::nullopt,
       StartKind::kContinue,
       0,
       0,
       "followed, nothing applied yet"},
      {Stored(30), {0, 50}, kThen, StartKind::kContinue, 30, 0, "the usual restart"},
      {Stored(50), {0, 50}, kThen, StartKind::kContinue, 50, 0, "all is applied"},
      {Stored(30),
       {0, 20},
       std::nullopt,
       StartKind::kRecreated,
       0,
       0,
       "the log is shorter than what was applied"},
      {Stored(30),
       {0, 50},
       kLater,
       StartKind::kRecreated,
       0,
       0,
       "another record stands there: it has grown past us"},
      {Stored(30),
       {35, 50},
       std::nullopt,
       StartKind::kMissing,
       35,
       5,
       "retention has overtaken us"},
      {Stored(30),
       {30, 50},
       std::nullopt,
       StartKind::kContinue,
       30,
       0,
       "shortened exactly to us: nothing is missing"},
      {Stored(30),
       {0, 50},
       std::nullopt,
       StartKind::kContinue,
       30,
       0,
       "compacted away: no reason to start anew"},
  };
  for (const Case& one : cases) {
    const Start start = DecideStart(one.stored, one.log, one.time);
    EXPECT_EQ(start.kind, one.kind) << one.why;
    EXPECT_EQ(start.offset, one.offset) << one.why;
    EXPECT_EQ(start.missing, one.missing) << one.why;
  }
}

}  // namespace
}  // namespace heliograph::recorder
