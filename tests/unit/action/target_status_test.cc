#include "action/target_status.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace heliograph::action {
namespace {

using enum TargetStatus;

std::vector<TargetStatus> AllStatuses() {
  std::vector<TargetStatus> all;
  for (std::size_t i = 0; i < kTargetStatuses; ++i) all.push_back(static_cast<TargetStatus>(i));
  return all;
}

std::vector<TargetEvent> AllEvents() {
  std::vector<TargetEvent> all;
  for (std::size_t i = 0; i < kTargetEvents; ++i) all.push_back(static_cast<TargetEvent>(i));
  return all;
}

TEST(TargetStatus, NamesReadBack) {
  for (const TargetStatus status : AllStatuses()) {
    EXPECT_EQ(ParseTargetStatus(TargetStatusName(status)), status);
  }
  EXPECT_EQ(ParseTargetStatus("sent"), std::nullopt);
}

struct Case {
  TargetStatus status;
  TargetEvent event;
  std::optional<TargetStatus> expected;
  const char* why;
};

TEST(Next, SaysWhatEachEventDoes) {
  const Case cases[] = {
      {kAccepted, TargetEvent::kPublished, kPublished, "the broker has it"},
      {kAccepted, TargetEvent::kUndeliverable, kUndeliverable, "nobody listens"},
      {kAccepted, TargetEvent::kSucceeded, kSucceeded, "the answer overtook the PUBACK"},
      {kSucceeded, TargetEvent::kPublished, std::nullopt, "the PUBACK comes after the answer"},
      {kSucceeded, TargetEvent::kUndeliverable, std::nullopt, "a time-out after the answer"},
      {kSucceeded, TargetEvent::kFailed, std::nullopt, "a second answer"},
      {kSucceeded, TargetEvent::kRunning, std::nullopt, "progress after the end"},
      {kFailed, TargetEvent::kSucceeded, std::nullopt, "a second answer"},
      {kPublished, TargetEvent::kPublished, std::nullopt, "a second PUBACK"},
      {kPublished, TargetEvent::kUndeliverable, std::nullopt, "a time-out after the PUBACK"},
      {kDelivered, TargetEvent::kPublished, std::nullopt, "a late PUBACK does not lead back"},
      {kRunning, TargetEvent::kUndeliverable, std::nullopt,
       "the device has it, whatever the broker said"},
      {kRunning, TargetEvent::kRunning, kRunning, "more progress"},
      {kRunning, TargetEvent::kDelivered, std::nullopt, "accepted after running: out of order"},
      {kDelivered, TargetEvent::kDelivered, std::nullopt, "said twice"},
      {kUndeliverable, TargetEvent::kPublished, std::nullopt, "the PUBACK came too late"},
      {kUndeliverable, TargetEvent::kSucceeded, std::nullopt,
       "final stays; the answer is kept as late"},
      {kOffline, TargetEvent::kSucceeded, std::nullopt, "nothing was sent"},
      {kAccepted, TargetEvent::kQueued, kQueued, "it waits for its device"},
      {kQueued, TargetEvent::kOffline, std::nullopt, "that is what it waits for"},
      {kQueued, TargetEvent::kUnauthorised, kUnauthorised, "the right was taken back meanwhile"},
      {kPublished, TargetEvent::kUnauthorised, std::nullopt, "the right came too late to be lost"},
      {kPublished, TargetEvent::kQueued, std::nullopt, "nothing leads back"},
      {kSucceeded, TargetEvent::kExpired, std::nullopt, "the deadline after the end"},
      {kSucceeded, TargetEvent::kCancelled, std::nullopt, "too late to be called off"},
  };
  for (const Case& row : cases) EXPECT_EQ(Next(row.status, row.event), row.expected) << row.why;
}

TEST(Next, LeavesWhatIsFinal) {
  for (const TargetStatus status : AllStatuses()) {
    if (!IsFinal(status)) continue;
    for (const TargetEvent event : AllEvents()) EXPECT_EQ(Next(status, event), std::nullopt);
  }
}

TEST(Next, NeverLeadsBack) {
  for (const TargetStatus status : AllStatuses()) {
    for (const TargetEvent event : AllEvents()) {
      EXPECT_GE(Next(status, event).value_or(status), status);
    }
  }
}

TEST(Next, TakesEveryEndFromADeviceWhileItIsOpen) {
  for (const TargetStatus status : AllStatuses()) {
    EXPECT_EQ(Next(status, TargetEvent::kSucceeded).has_value(), !IsFinal(status));
    EXPECT_EQ(Next(status, TargetEvent::kFailed).has_value(), !IsFinal(status));
  }
}

TEST(Next, ADeadlineAndACallerEndWhateverIsOpen) {
  for (const TargetStatus status : AllStatuses()) {
    const bool open = !IsFinal(status);
    EXPECT_EQ(Next(status, TargetEvent::kExpired), open ? std::optional(kExpired) : std::nullopt);
    EXPECT_EQ(Next(status, TargetEvent::kCancelled),
              open ? std::optional(kCancelled) : std::nullopt);
  }
}

// Whatever order events come in, a target that hears an end is in one final status and stays there.
TEST(Next, EndsOnceInAnyOrder) {
  std::minstd_rand random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<TargetEvent> events = AllEvents();
    events.insert(events.end(),
                  {TargetEvent::kRunning, TargetEvent::kSucceeded, TargetEvent::kPublished});
    std::shuffle(events.begin(), events.end(), random);
    TargetStatus status = kAccepted;
    int ends = 0;
    for (const TargetEvent event : events) {
      const auto next = Next(status, event);
      if (!next) continue;
      status = *next;
      if (IsFinal(status)) ++ends;
    }
    ASSERT_TRUE(IsFinal(status));
    ASSERT_EQ(ends, 1);
  }
}

TEST(ChangedBy, IsTheColumnOfTheTable) {
  EXPECT_EQ(ChangedBy(TargetEvent::kOffline), std::vector{kAccepted});
  EXPECT_EQ(ChangedBy(TargetEvent::kPublished), (std::vector{kAccepted, kQueued}));
  EXPECT_EQ(ChangedBy(TargetEvent::kSucceeded),
            (std::vector{kAccepted, kQueued, kPublished, kDelivered, kRunning}));
}

TEST(KeepsLateAnswer, OnlyWhereSomethingMayHaveBeenSent) {
  for (const TargetStatus status : AllStatuses()) {
    const bool expected = status == kExpired || status == kCancelled || status == kUndeliverable;
    EXPECT_EQ(KeepsLateAnswer(status), expected) << TargetStatusName(status);
    EXPECT_LE(expected, IsFinal(status));
  }
}

}  // namespace
}  // namespace heliograph::action
