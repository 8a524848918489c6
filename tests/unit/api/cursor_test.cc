#include "api/cursor.h"

#include <gtest/gtest.h>

#include <chrono>

namespace heliograph::api {
namespace {

TEST(Cursor, ReadsBackWhatItWrote) {
  const device::ClientId id(std::string(128, 'z'));
  EXPECT_EQ(ReadCursor(ListKind::kConnections, WriteCursor(ListKind::kConnections, id)), id);
  EXPECT_EQ(ReadCursor(ListKind::kTargets, WriteCursor(ListKind::kTargets, id)), id);
}

TEST(Cursor, IsRefusedByAnotherList) {
  const std::string cursor = WriteCursor(ListKind::kConnections, device::ClientId("a"));
  EXPECT_FALSE(ReadCursor(ListKind::kTargets, cursor));
  EXPECT_FALSE(ReadIntervalCursor(cursor));
}

TEST(Cursor, RefusesWhatWasMadeUp) {
  // "6" is half a byte; "63" the kind alone; "632f" has a slash; the last is too long.
  for (const std::string& bad :
       {std::string(""), std::string("6"), std::string("63"), std::string("632f"),
        std::string("6361zz"), std::string("6361 "), std::string("63") + std::string(1024, '6')}) {
    EXPECT_FALSE(ReadCursor(ListKind::kConnections, bad)) << bad;
  }
}

TEST(IntervalCursor, ReadsBackWhatItWrote) {
  postgres::IntervalPlace place;
  place.online_from = base::Timestamp{std::chrono::microseconds(-7)};
  place.generation = 3;
  place.opened_at = {2, 123'456'789'012};
  const auto read = ReadIntervalCursor(WriteCursor(place));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->online_from, place.online_from);
  EXPECT_EQ(read->generation, 3);
  EXPECT_EQ(read->opened_at, place.opened_at);
}

TEST(IntervalCursor, RefusesWhatWasMadeUp) {
  const auto hex = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
      out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    }
    return out;
  };
  EXPECT_TRUE(ReadIntervalCursor(hex("i1,2,3,4")));
  for (const char* bad :
       {"i", "i1,2,3", "i1,2,3,4,5", "i1,2,3,4x", "i1,2,3,x", "i,1,2,3", "x1,2,3,4", "i1,-2,3,4",
        "i1,2,99999999999,4", "i9223372036854775807,2,3,4", "i-9223372036854775808,1,1,1",
        "i99999999999999999999,2,3,4"}) {
    EXPECT_FALSE(ReadIntervalCursor(hex(bad))) << bad;
  }
}

TEST(ActionCursor, ReadsBackAndNothingElse) {
  const postgres::ActionPlace place{
      base::Timestamp{std::chrono::microseconds(1'700'000'000'123'456)},
      action::ActionId("01234567-89ab-7def-8123-456789abcdef")};
  const std::string cursor = WriteCursor(place);
  const auto read = ReadActionCursor(cursor);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->created_at, place.created_at);
  EXPECT_EQ(read->action_id, place.action_id);
  EXPECT_FALSE(ReadIntervalCursor(cursor)) << "it is another list's";
  EXPECT_FALSE(ReadActionCursor(cursor.substr(0, cursor.size() - 2)));
  EXPECT_FALSE(ReadActionCursor(""));
}

}  // namespace
}  // namespace heliograph::api
