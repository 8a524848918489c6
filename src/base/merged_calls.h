// Calls of many threads that cost less together than one by one: who comes while others are under
// way waits, and goes with all who wait in the next turn. Nobody waits while nobody is under way.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace heliograph::base {

struct MergedCallsLimits {
  std::size_t most_together = 64;  // requests in one turn
  std::size_t most_under_way = 1;  // turns at a time
};

// There is no thread of its own: one of the callers carries the turn out for all of them, then
// leaves the lead to the first who waits, so that nobody works for others more than once. A call
// takes as long as two turns, or more while more than most_together wait. Threads: any thread.
template <class Request, class Answer>
class MergedCalls {
 public:
  // Answers every request, in their order; the first is the caller's own, whose thread it runs on.
  // No lock is held. What it throws is thrown to everybody whose turn it was.
  using CarryOut = std::function<std::vector<Answer>(std::span<const Request* const>)>;

  MergedCalls(const MergedCallsLimits& limits, CarryOut carry_out)
      : limits_(limits), carry_out_(std::move(carry_out)) {}
  MergedCalls(const MergedCalls&) = delete;
  MergedCalls& operator=(const MergedCalls&) = delete;

  Answer Call(const Request& request) {
    Caller self(request);
    if (!Enter(self) && !self.AwaitLead()) return self.TakeAnswer();
    std::vector<Caller*> company;
    std::vector<Answer> answers;
    std::exception_ptr failure;
    try {
      Gather(self, company);
      answers = Answers(company);
    } catch (...) {
      failure = std::current_exception();
    }
    PassOnLead();  // first: the next turn need not wait until this one's callers are awake
    for (std::size_t i = 1; i < company.size(); ++i) {
      failure ? company[i]->Fail(failure) : company[i]->Tell(std::move(answers[i]));
    }
    if (failure) std::rethrow_exception(failure);
    return std::move(answers.front());
  }

 private:
  // Lives on its thread's stack, until it has been told.
  class Caller {
   public:
    explicit Caller(const Request& request) : request_(&request) {}

    const Request* request() const { return request_; }

    // True: it leads the next turn. False: it was answered.
    bool AwaitLead() {
      std::unique_lock lock(mutex_);
      told_.wait(lock, [this] { return leads_ || answer_ || failure_; });
      return leads_;
    }
    Answer TakeAnswer() {
      if (failure_) std::rethrow_exception(failure_);
      return *std::move(answer_);
    }

    // These notify under the lock, since the caller is gone as soon as it is free.
    void GiveLead() {
      const std::lock_guard lock(mutex_);
      leads_ = true;
      told_.notify_one();
    }
    void Tell(Answer&& answer) {
      const std::lock_guard lock(mutex_);
      answer_.emplace(std::move(answer));
      told_.notify_one();
    }
    void Fail(const std::exception_ptr& failure) {
      const std::lock_guard lock(mutex_);
      failure_ = failure;
      told_.notify_one();
    }

   private:
    const Request* const request_;
    std::mutex mutex_;
    std::condition_variable told_;
    bool leads_ = false;            // guarded by mutex_
    std::optional<Answer> answer_;  // guarded by mutex_ until it is told
    std::exception_ptr failure_;    // guarded by mutex_ until it is told
  };

  // True: it leads at once. False: it waits.
  bool Enter(Caller& caller) {
    const std::lock_guard lock(mutex_);
    if (under_way_ < limits_.most_under_way) {
      ++under_way_;
      return true;
    }
    waiting_.push_back(&caller);
    return false;
  }

  // `company` gets the leader and those who wait. If it throws, they still wait.
  void Gather(Caller& leader, std::vector<Caller*>& company) {
    const std::lock_guard lock(mutex_);
    company.reserve(limits_.most_together);
    company.push_back(&leader);
    while (!waiting_.empty() && company.size() < limits_.most_together) {
      company.push_back(waiting_.front());
      waiting_.pop_front();
    }
  }

  std::vector<Answer> Answers(const std::vector<Caller*>& company) const {
    std::vector<const Request*> requests;
    requests.reserve(company.size());
    for (const Caller* caller : company) requests.push_back(caller->request());
    std::vector<Answer> answers = carry_out_(requests);
    if (answers.size() != company.size()) throw std::logic_error("not an answer for each request");
    return answers;
  }

  void PassOnLead() {
    Caller* next = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        --under_way_;
        return;
      }
      next = waiting_.front();
      waiting_.pop_front();
    }
    next->GiveLead();
  }

  const MergedCallsLimits limits_;
  const CarryOut carry_out_;
  std::mutex mutex_;
  std::deque<Caller*> waiting_;  // guarded by mutex_; each will be given the lead or an answer
  std::size_t under_way_ = 0;    // guarded by mutex_
};

}  // namespace heliograph::base
