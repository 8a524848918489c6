#include "owner/question_queue.h"

#include <gtest/gtest.h>

namespace heliograph::owner {
namespace {

using device::ClientId;
using Waiter = QuestionQueue::Waiter;

constexpr auto kConnecting = Urgency::kConnecting;
constexpr auto kInBackground = Urgency::kInBackground;

std::string Next(QuestionQueue& queue) {
  const auto next = queue.Take();
  return next ? next->str() : "";
}

TEST(QuestionQueue, WhoConnectsGoesFirst) {
  QuestionQueue queue(10);
  for (const char* id : {"b-1", "b-2"}) queue.Add(ClientId(id), kInBackground, nullptr);
  for (const char* id : {"c-1", "c-2"}) queue.Add(ClientId(id), kConnecting, nullptr);
  for (const char* id : {"c-1", "c-2", "b-1", "b-2", ""}) EXPECT_EQ(Next(queue), id);
  EXPECT_TRUE(queue.empty());
}

TEST(QuestionQueue, ADeviceIsAskedAboutOnceAtATime) {
  QuestionQueue queue(10);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.Add(ClientId("a"), kConnecting, nullptr));
  EXPECT_EQ(queue.waiting(), 1U);
  EXPECT_EQ(Next(queue), "a");
  EXPECT_TRUE(queue.Add(ClientId("a"), kConnecting, nullptr)) << "it is being asked about";
  EXPECT_EQ(Next(queue), "");
  queue.End(ClientId("a"));
  queue.Add(ClientId("a"), kInBackground, nullptr);
  EXPECT_EQ(Next(queue), "a") << "and later again";
}

TEST(QuestionQueue, TellsWhenSomebodyHasAllHeWaitsFor) {
  QuestionQueue queue(10);
  Waiter one, other;
  queue.Add(ClientId("a"), kConnecting, &one);
  queue.Add(ClientId("a"), kConnecting, &one);
  queue.Add(ClientId("b"), kConnecting, &one);
  queue.Add(ClientId("b"), kConnecting, &other);
  queue.Add(ClientId("c"), kConnecting, &other);
  EXPECT_FALSE(queue.End(ClientId("a")));
  EXPECT_EQ(one.left, 1U);
  EXPECT_TRUE(queue.End(ClientId("b")));
  EXPECT_EQ(one.left, 0U);
  EXPECT_EQ(other.left, 1U);
  const ClientId left("c");
  queue.Forget(&other, std::span(&left, 1));
  EXPECT_FALSE(queue.End(left)) << "nobody waits any more";
  EXPECT_EQ(other.left, 1U) << "who has gone is not touched";
  EXPECT_FALSE(queue.End(ClientId("never added")));
}

TEST(QuestionQueue, IsBoundedAndKeepsHalfForWhoConnects) {
  QuestionQueue queue(4);
  EXPECT_TRUE(queue.Add(ClientId("b-1"), kInBackground, nullptr));
  EXPECT_TRUE(queue.Add(ClientId("b-2"), kInBackground, nullptr));
  EXPECT_FALSE(queue.Add(ClientId("b-3"), kInBackground, nullptr));
  EXPECT_TRUE(queue.Add(ClientId("c-1"), kConnecting, nullptr));
  EXPECT_TRUE(queue.Add(ClientId("c-2"), kConnecting, nullptr));
  Waiter waiter;
  EXPECT_FALSE(queue.Add(ClientId("c-3"), kConnecting, &waiter));
  EXPECT_EQ(waiter.left, 0U) << "he has nothing to wait for";
  EXPECT_EQ(Next(queue), "c-1");
  EXPECT_TRUE(queue.Add(ClientId("c-3"), kConnecting, nullptr)) << "there is room again";
}

}  // namespace
}  // namespace heliograph::owner
