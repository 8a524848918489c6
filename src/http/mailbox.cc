#include "http/mailbox.h"

#include <utility>

namespace heliograph::http {

void Mailbox::Post(Answer answer) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = answers_.empty();
    answers_.push_back(std::move(answer));
  }
  if (first) wakeup_.Notify();
}

void Mailbox::PostReady(ConnectionId connection) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = ready_.empty();
    ready_.push_back(connection);
  }
  if (first) wakeup_.Notify();
}

std::vector<Answer> Mailbox::TakeAll() {
  wakeup_.Clear();  // before looking: what is posted after the look notifies again
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

std::vector<ConnectionId> Mailbox::TakeReady() {
  const std::lock_guard lock(mutex_);
  return std::exchange(ready_, {});
}

}  // namespace heliograph::http
