#include "http/handler_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace heliograph::http {
namespace {

Job NewJob(int fd = 0) {
  Job job;
  job.connection.fd = fd;
  return job;
}

TEST(HandlerPool, AllThreadsWorkWhenAllAreNeeded) {
  constexpr int kThreads = 8;
  std::latch all_run(kThreads);
  HandlerPool pool("test", kThreads, 100, [&](Job&) { all_run.arrive_and_wait(); });
  for (int i = 0; i < kThreads; ++i) EXPECT_TRUE(pool.Submit(NewJob()));
  all_run.wait();  // for ever, if one job waited behind another
}

TEST(HandlerPool, RunsEveryJobOnce) {
  constexpr int kJobs = 20000;
  std::vector<std::atomic<int>> ran(kJobs);
  std::latch all_ran(kJobs);
  HandlerPool pool("test", 4, kJobs, [&](Job& job) {
    ran[static_cast<std::size_t>(job.connection.fd)].fetch_add(1);
    all_ran.count_down();
  });
  {
    std::vector<std::jthread> submitters;
    for (int half = 0; half < 2; ++half) {
      submitters.emplace_back([&pool, half] {
        for (int i = half; i < kJobs; i += 2) EXPECT_TRUE(pool.Submit(NewJob(i)));
      });
    }
  }
  all_ran.wait();
  for (const auto& times : ran) ASSERT_EQ(times.load(), 1);
}

TEST(HandlerPool, SaysWhenTooManyWait) {
  std::latch running(1);
  std::latch go(1);
  HandlerPool pool("test", 1, 2, [&](Job& job) {
    if (job.connection.fd == 1) running.count_down();
    go.wait();
  });
  EXPECT_TRUE(pool.Submit(NewJob(1)));
  running.wait();
  EXPECT_TRUE(pool.Submit(NewJob(2)));
  EXPECT_TRUE(pool.Submit(NewJob(3)));
  Job refused = NewJob(4);
  refused.parsed.request.body = "kept";
  EXPECT_FALSE(pool.Submit(std::move(refused)));
  EXPECT_EQ(refused.parsed.request.body, "kept") << "the caller has to answer it";  // NOLINT
  go.count_down();
}

TEST(HandlerPool, EndsWithJobsStillWaiting) {
  std::latch running(1);
  std::latch go(1);
  std::atomic<int> ran{0};
  std::jthread releaser;
  {
    HandlerPool pool("test", 1, 100, [&](Job&) {
      if (ran.fetch_add(1) == 0) running.count_down();
      go.wait();
    });
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(pool.Submit(NewJob()));
    running.wait();
    releaser = std::jthread([&] { go.count_down(); });
  }
  EXPECT_GE(ran.load(), 1);
}

}  // namespace
}  // namespace heliograph::http
