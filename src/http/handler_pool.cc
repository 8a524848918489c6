#include "http/handler_pool.h"

#include <utility>

#include "base/thread_name.h"

namespace heliograph::http {

HandlerPool::HandlerPool(const std::string& name, std::size_t threads, std::size_t max_waiting,
                         std::function<void(Job&)> run)
    : max_waiting_(max_waiting), run_(std::move(run)) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back(
        [this, thread_name = name + "-h" + std::to_string(i)] { Work(thread_name); });
  }
}

HandlerPool::~HandlerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

// One thread is woken at a time, and wakes the next before it runs its job when more wait: a
// wake-up costs more than a quick handler, and a slow one still holds up nobody.
bool HandlerPool::ShouldWake() {
  if (waiting_.empty() || idle_ == 0 || waking_) return false;
  waking_ = true;
  return true;
}

bool HandlerPool::Submit(Job&& job) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= max_waiting_) return false;
    waiting_.push_back(std::move(job));
    wake = ShouldWake();
  }
  if (wake) changed_.notify_one();
  return true;
}

std::optional<Job> HandlerPool::Next() {
  std::unique_lock lock(mutex_);
  while (waiting_.empty() && !stopping_) {
    ++idle_;
    changed_.wait(lock);
    --idle_;
    waking_ = false;
  }
  if (stopping_) return std::nullopt;
  std::optional<Job> job(std::move(waiting_.front()));
  waiting_.pop_front();
  const bool wake = ShouldWake();
  lock.unlock();
  if (wake) changed_.notify_one();
  return job;
}

void HandlerPool::Work(const std::string& thread_name) {
  base::NameThisThread(thread_name.substr(0, 15).c_str());
  while (auto job = Next()) run_(*job);
}

}  // namespace heliograph::http
