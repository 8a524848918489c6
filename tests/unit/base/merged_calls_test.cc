#include "base/merged_calls.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <set>
#include <string>
#include <thread>

namespace heliograph::base {
namespace {

using Calls = MergedCalls<int, std::string>;

std::vector<std::string> Names(std::span<const int* const> requests) {
  std::vector<std::string> names;
  for (const int* request : requests) names.push_back(std::to_string(*request));
  return names;
}

// A turn that waits to be let go, so that a test decides who comes meanwhile.
class Gate {
 public:
  void Pass() {
    entered_.count_down();
    open_.wait();
  }
  void AwaitEntered() { entered_.wait(); }
  void Open() { open_.count_down(); }

 private:
  std::latch entered_{1};
  std::latch open_{1};
};

std::future<std::string> CallAsync(Calls& calls, int number) {
  return std::async(std::launch::async, [&calls, number] { return calls.Call(number); });
}

TEST(MergedCalls, OneAloneGoesAtOnce) {
  std::vector<std::size_t> turns;
  Calls calls({}, [&](auto requests) {
    turns.push_back(requests.size());
    return Names(requests);
  });
  EXPECT_EQ(calls.Call(1), "1");
  EXPECT_EQ(calls.Call(2), "2");
  EXPECT_EQ(turns, (std::vector<std::size_t>{1, 1}));
}

// One round: `count` callers come while a turn is under way. How many turns it took.
int TurnsFor(int count) {
  Gate gate;
  std::atomic<int> turns = 0;
  std::atomic<int> carried_out = 0;
  Calls calls({}, [&](auto requests) {
    if (turns++ == 0) gate.Pass();
    carried_out += static_cast<int>(requests.size());
    return Names(requests);
  });
  auto first = CallAsync(calls, 0);
  gate.AwaitEntered();
  std::vector<std::future<std::string>> others;
  for (int i = 1; i <= count; ++i) others.push_back(CallAsync(calls, i));
  EXPECT_EQ(turns, 1) << "the others wait";
  gate.Open();
  EXPECT_EQ(first.get(), "0");
  int number = 0;
  for (auto& other : others) EXPECT_EQ(other.get(), std::to_string(++number)) << "its own answer";
  EXPECT_EQ(carried_out, count + 1) << "nobody was carried out twice";
  return turns;
}

// Some may come only when the first turn is over, as the scheduler likes it; not in every round.
TEST(MergedCalls, WhoComesMeanwhileGoesTogether) {
  bool together = false;
  for (int round = 0; round < 1000 && !together; ++round) together = TurnsFor(20) < 21;
  EXPECT_TRUE(together);
}

TEST(MergedCalls, NoMoreThanMayGoTogetherAndNoTwoTurnsAtATime) {
  std::atomic<int> at_once = 0;
  std::atomic<bool> overlapped = false;
  std::atomic<std::size_t> largest = 0;
  Calls calls({3, 1}, [&](auto requests) {
    if (++at_once > 1) overlapped = true;
    if (requests.size() > largest) largest = requests.size();
    auto names = Names(requests);
    --at_once;
    return names;
  });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 500; ++i) {
        const int number = thread * 1000 + i;
        EXPECT_EQ(calls.Call(number), std::to_string(number));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlapped);
  EXPECT_LE(largest, 3U);
}

// Both turns are needed at a time for either to end.
TEST(MergedCalls, SeveralTurnsAtATimeWhereThatIsAllowed) {
  std::latch both{2};
  Calls calls({64, 2}, [&](auto requests) {
    both.arrive_and_wait();
    return Names(requests);
  });
  auto first = CallAsync(calls, 1);
  EXPECT_EQ(calls.Call(2), "2");
  EXPECT_EQ(first.get(), "1");
}

TEST(MergedCalls, WhatIsThrownReachesAllWhoseTurnItWas) {
  Calls calls({}, [](auto requests) {
    for (const int* request : requests) {
      if (*request < 0) throw std::runtime_error("refused");
    }
    return Names(requests);
  });
  std::atomic<int> refused = 0;
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 200; ++i) {
        const int number = thread == 0 ? -1 : i;
        try {
          EXPECT_EQ(calls.Call(number), std::to_string(number));
          ++answered;
        } catch (const std::runtime_error&) {
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered + refused, 8 * 200) << "nobody is left waiting";
  EXPECT_GE(refused, 200);
  EXPECT_EQ(calls.Call(1), "1") << "the lead was passed on";
}

TEST(MergedCalls, TooFewAnswersAreADefectThatIsTold) {
  Calls calls({}, [](auto) { return std::vector<std::string>(); });
  EXPECT_THROW(calls.Call(1), std::logic_error);
  EXPECT_THROW(calls.Call(1), std::logic_error);
}

}  // namespace
}  // namespace heliograph::base
