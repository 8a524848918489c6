#include "recorder/slicer.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace heliograph::recorder {
namespace {

// Applies records 0..count-1 of which some are poison; answers which were left out, and counts the
// tries.
std::set<std::size_t> LeftOut(std::size_t count, const std::set<std::size_t>& poison, int& tries) {
  Slicer slicer(count);
  std::set<std::size_t> left_out;
  std::size_t at = 0;
  while (at < count) {
    ++tries;
    const std::size_t size = slicer.Next(count - at);
    const auto first_poison = poison.lower_bound(at);
    const bool refused = first_poison != poison.end() && *first_poison < at + size;
    if (!refused) {
      at += size;
      slicer.Passed();
    } else if (slicer.Refused(size)) {
      left_out.insert(at++);
    }
  }
  return left_out;
}

TEST(Slicer, LeavesOutExactlyThePoison) {
  const std::set<std::size_t> cases[] = {{},         {0},          {999},
                                         {499, 500}, {0, 1, 2, 3}, {7, 300, 301, 998}};
  for (const auto& poison : cases) {
    int tries = 0;
    EXPECT_EQ(LeftOut(1000, poison, tries), poison);
    EXPECT_LE(tries, 1 + static_cast<int>(poison.size()) * 24)
        << "a record costs about twice the logarithm";
  }
}

TEST(Slicer, TakesEverythingWhileNothingIsRefused) {
  const Slicer slicer(100);
  EXPECT_EQ(slicer.Next(70), 70U);
  EXPECT_EQ(slicer.Next(100), 100U);
  EXPECT_EQ(slicer.Next(1000), 100U);
}

TEST(Slicer, TriesLessOfADatabaseThatIsTooSlowAndMoreAgainAfterwards) {
  Slicer slicer(1000);
  slicer.TooSlow(1000);
  EXPECT_EQ(slicer.Next(5000), 500U);
  slicer.TooSlow(500);
  EXPECT_EQ(slicer.Next(5000), 250U);
  for (int i = 0; i < 20; ++i) slicer.TooSlow(slicer.Next(5000));
  EXPECT_EQ(slicer.Next(5000), 1U);
  for (int i = 0; i < 20; ++i) slicer.Passed();
  EXPECT_EQ(slicer.Next(5000), 1000U);
}

TEST(IsAboutData, OnlyWhatFailsAgainWithTheSameData) {
  EXPECT_TRUE(IsAboutData(base::ErrorCode::kInvalidArgument));
  EXPECT_TRUE(IsAboutData(base::ErrorCode::kTooLarge));
  EXPECT_FALSE(IsAboutData(base::ErrorCode::kUnavailable)) << "the database is away";
  EXPECT_FALSE(IsAboutData(base::ErrorCode::kPermissionDenied)) << "no record's fault";
  EXPECT_FALSE(IsAboutData(base::ErrorCode::kInternal)) << "our fault: nothing may be thrown away";
}

}  // namespace
}  // namespace heliograph::recorder
