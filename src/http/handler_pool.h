// The threads on which handlers run, and the bounded queue before them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http/mailbox.h"
#include "http/request_parser.h"

namespace heliograph::http {

struct Job {
  ParsedRequest parsed;
  ConnectionId connection;
  std::shared_ptr<Mailbox> reply_to;
  base::SteadyTime received;
};

// Threads: Submit from any thread; `run` is called on threads "<name>-h0", "<name>-h1" … and must
// not throw.
class HandlerPool {
 public:
  HandlerPool(const std::string& name, std::size_t threads, std::size_t max_waiting,
              std::function<void(Job&)> run);
  ~HandlerPool();  // waits for the jobs that run; those that wait are dropped
  HandlerPool(const HandlerPool&) = delete;
  HandlerPool& operator=(const HandlerPool&) = delete;

  bool Submit(Job&& job);  // false: too many wait already; `job` is untouched

 private:
  void Work(const std::string& thread_name);
  std::optional<Job> Next();  // nothing: the pool ends
  bool ShouldWake();          // with mutex_ held

  std::size_t max_waiting_;
  std::function<void(Job&)> run_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;  // guarded by mutex_
  std::size_t idle_ = 0;     // threads that sleep; guarded by mutex_
  bool waking_ = false;    // one of them has been notified and has not come yet; guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace heliograph::http
