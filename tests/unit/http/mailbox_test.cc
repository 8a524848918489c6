#include "http/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

namespace heliograph::http {
namespace {

bool Readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

TEST(Mailbox, IsReadableWhileItHoldsStreamsToLookAt) {
  Mailbox mailbox;
  mailbox.PostReady({1, 1});
  mailbox.PostReady({2, 2});
  EXPECT_TRUE(Readable(mailbox.fd()));
  EXPECT_TRUE(mailbox.TakeAll().empty());
  EXPECT_FALSE(Readable(mailbox.fd()));
  mailbox.PostReady({3, 3});
  EXPECT_EQ(mailbox.TakeReady().size(), 3U) << "what comes between the two looks is found";
  mailbox.PostReady({4, 4});
  EXPECT_TRUE(Readable(mailbox.fd()));
}

TEST(Mailbox, IsReadableWhileItHoldsAnswers) {
  Mailbox mailbox;
  EXPECT_FALSE(Readable(mailbox.fd()));
  mailbox.Post({{1, 1}, "a", false});
  mailbox.Post({{2, 2}, "b", true});
  EXPECT_TRUE(Readable(mailbox.fd()));
  const auto answers = mailbox.TakeAll();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].bytes, "a");
  EXPECT_TRUE(answers[1].close);
  EXPECT_FALSE(Readable(mailbox.fd()));
  mailbox.Nudge();
  EXPECT_TRUE(Readable(mailbox.fd()));
  EXPECT_TRUE(mailbox.TakeAll().empty());
}

TEST(Mailbox, LosesNoWakeUp) {
  Mailbox mailbox;
  constexpr int kAnswers = 100000;
  std::jthread poster([&] {
    for (int i = 0; i < kAnswers; ++i) mailbox.Post({{i, 0}, "", false});
  });
  int next = 0;
  while (next < kAnswers) {
    pollfd waiting{mailbox.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, 20000), 1) << "asleep after " << next;
    for (const Answer& answer : mailbox.TakeAll()) ASSERT_EQ(answer.connection.fd, next++);
  }
}

}  // namespace
}  // namespace heliograph::http
