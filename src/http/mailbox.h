// What handler threads, and those that push to streams, have for the I/O thread that owns the
// connection.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/wakeup.h"
#include "http/connection_id.h"
#include "http/outgoing_stream.h"

namespace heliograph::http {

struct Answer {
  ConnectionId connection;
  std::string bytes;
  bool close = false;
  std::unique_ptr<OutgoingStream> stream{};  // `bytes` is only the head, and this follows
};

// Threads: those that post, and Nudge, from any thread; those that take from the one that polls
// fd().
class Mailbox {
 public:
  int fd() const noexcept { return wakeup_.fd(); }

  void Post(Answer answer);
  void PostReady(ConnectionId connection);     // its stream is to be looked at
  void Nudge() noexcept { wakeup_.Notify(); }  // wakes the reader without anything
  std::vector<Answer> TakeAll();               // first: what is posted after it wakes again
  std::vector<ConnectionId> TakeReady();

 private:
  base::Wakeup wakeup_;
  std::mutex mutex_;
  std::vector<Answer> answers_;      // guarded by mutex_
  std::vector<ConnectionId> ready_;  // guarded by mutex_
};

}  // namespace heliograph::http
