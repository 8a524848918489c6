// Answers on their way from the handler threads to the I/O thread that owns the connection.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/wakeup.h"

namespace heliograph::http {

// Names a connection also after it has gone: descriptors are used again, ids are not.
struct ConnectionId {
  int fd = -1;
  std::uint64_t id = 0;
};

struct Answer {
  ConnectionId connection;
  std::string bytes;
  bool close = false;
};

// Threads: Post and Nudge from any thread; TakeAll from the one that polls fd().
class Mailbox {
 public:
  int fd() const noexcept { return wakeup_.fd(); }

  void Post(Answer answer);
  void Nudge() noexcept { wakeup_.Notify(); }  // wakes the reader without an answer
  std::vector<Answer> TakeAll();

 private:
  base::Wakeup wakeup_;
  std::mutex mutex_;
  std::vector<Answer> answers_;  // guarded by mutex_
};

}  // namespace heliograph::http
