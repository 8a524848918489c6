#include "dispatch/gate.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace heliograph::dispatch {
namespace {

constexpr std::chrono::milliseconds kNoPatience{0};
constexpr std::chrono::hours kEndlessPatience{1};

TEST(Gate, HasSoManyPlaces) {
  Gate gate(2, kNoPatience);
  const Gate::Place first = gate.Enter();
  Gate::Place second = gate.Enter();
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(gate.Enter());
  second.reset();
  EXPECT_TRUE(gate.Enter()) << "it is free again";
}

TEST(Gate, WhoMovesAPlaceDoesNotFreeIt) {
  Gate gate(1, kNoPatience);
  Gate::Place place = gate.Enter();
  const Gate::Place moved = std::move(place);
  EXPECT_FALSE(gate.Enter());
}

TEST(Gate, WhoWaitsGetsThePlaceThatComesFree) {
  Gate gate(1, kEndlessPatience);
  Gate::Place place = gate.Enter();
  auto waiting = std::async(std::launch::async, [&] { return static_cast<bool>(gate.Enter()); });
  place.reset();
  EXPECT_TRUE(waiting.get());
}

TEST(Gate, EverybodyGetsThroughWhilePlacesComeFree) {
  Gate gate(2, kEndlessPatience);
  std::vector<std::future<bool>> all;
  for (int i = 0; i < 16; ++i) {
    all.push_back(std::async(std::launch::async, [&] { return static_cast<bool>(gate.Enter()); }));
  }
  for (std::future<bool>& each : all) EXPECT_TRUE(each.get());
}

}  // namespace
}  // namespace heliograph::dispatch
