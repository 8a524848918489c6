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

bool HandlerPool::Submit(Job&& job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= max_waiting_) return false;
    waiting_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void HandlerPool::Work(const std::string& thread_name) {
  base::NameThisThread(thread_name.substr(0, 15).c_str());
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    run_(job);
  }
}

}  // namespace heliograph::http
