#include "dispatch/watched_actions.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>

namespace heliograph::dispatch {
namespace {

using action::TargetStatus;
using device::TenantId;
using std::chrono::seconds;

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kLarge = action::kTargetsInFull + 1;

// Stands for the database: one action of tenant a, whose succeeded targets are counted by `reads`.
class Database {
 public:
  explicit Database(std::size_t targets) : targets_(targets) {}

  WatchedActions::Read Reader() {
    return [this](const action::ActionId& id) { return Read(id); };
  }

  void BreakDown() {
    const std::lock_guard lock(mutex_);
    broken_ = true;
  }
  // This read and later ones do not end until it is called again.
  void HoldFrom(std::int64_t number) {
    const std::lock_guard lock(mutex_);
    hold_from_ = number;
    changed_.notify_all();
  }
  // Returns at once when so many have begun.
  std::int64_t UntilReads(std::int64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds(60), [&] { return reads_ >= count; });
    return reads_;
  }

 private:
  base::Result<WatchedActions::Shared> Read(const action::ActionId& id) {
    std::unique_lock lock(mutex_);
    const std::int64_t number = ++reads_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return number < hold_from_; });
    if (broken_) return base::MakeError(base::ErrorCode::kUnavailable, "away");
    if (id != kId) return WatchedActions::Shared();
    action::Action action;
    action.id = id;
    action.tenant = TenantId("a");
    action.totals[TargetStatus::kSucceeded] = number;
    if (targets_ <= action::kTargetsInFull) action.targets.emplace();
    return std::make_shared<const action::Action>(std::move(action));
  }

 public:
  inline static const action::ActionId kId{"01a200b2-3108-7ce5-a40f-8286ebfd552a"};

 private:
  const std::size_t targets_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t reads_ = 0;
  std::int64_t hold_from_ = kNever;
  bool broken_ = false;
};

// Which read it came from; 0: there is none.
std::int64_t ReadOf(const base::Result<WatchedActions::Shared>& action) {
  return action && *action ? (*action)->totals.at(TargetStatus::kSucceeded) : 0;
}

TEST(WatchedActions, ReadsASmallOneForEverybodyWhoAsks) {
  Database database(1);
  WatchedActions watched(database.Reader());
  for (int i = 1; i <= 20; ++i) EXPECT_EQ(ReadOf(watched.Get(Database::kId, {})), i);
}

TEST(WatchedActions, CountsALargeOneByItselfWhileSomebodyAsks) {
  Database database(kLarge);
  WatchedActions watched(database.Reader());
  EXPECT_EQ(ReadOf(watched.Get(Database::kId, {})), 1);
  EXPECT_GE(database.UntilReads(3), 3);
  std::int64_t seen = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = ReadOf(watched.Get(Database::kId, {}));
    EXPECT_GE(now, seen) << "never older than the one before";
    seen = now;
  }
  EXPECT_GE(seen, 2);
  EXPECT_LT(database.UntilReads(1), 500) << "not once for each who asks";
}

TEST(WatchedActions, NobodyWaitsForTheCount) {
  Database database(kLarge);
  database.HoldFrom(2);
  WatchedActions watched(database.Reader(), std::chrono::hours(1));
  EXPECT_EQ(ReadOf(watched.Get(Database::kId, {})), 1);
  EXPECT_EQ(database.UntilReads(2), 2);
  EXPECT_EQ(ReadOf(watched.Get(Database::kId, {})), 1);
  database.HoldFrom(kNever);
}

TEST(WatchedActions, WhatIsForgottenIsReadAnew) {
  Database database(kLarge);
  WatchedActions watched(database.Reader());
  const std::int64_t before = ReadOf(watched.Get(Database::kId, {}));
  watched.Forget(Database::kId);
  EXPECT_GT(ReadOf(watched.Get(Database::kId, {})), before);
}

TEST(WatchedActions, IsSeenByItsTenantAndByOperators) {
  Database database(kLarge);
  WatchedActions watched(database.Reader());
  for (int i = 0; i < 2; ++i) {
    EXPECT_GT(ReadOf(watched.Get(Database::kId, TenantId("a"))), 0);
    EXPECT_GT(ReadOf(watched.Get(Database::kId, {})), 0);
    EXPECT_EQ(ReadOf(watched.Get(Database::kId, TenantId("b"))), 0);
  }
  EXPECT_EQ(ReadOf(watched.Get(action::ActionId("01a200b2-0000-7000-8000-000000000000"), {})), 0);
}

TEST(WatchedActions, WhoAsksIsToldWhatIsWrong) {
  Database database(kLarge);
  database.BreakDown();
  WatchedActions watched(database.Reader());
  const auto answer = watched.Get(Database::kId, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, base::ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace heliograph::dispatch
