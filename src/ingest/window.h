// The acknowledgement window's book-keeping. Pure: it neither reads nor writes anything.
//
// libmosquitto queues the PUBACK of a message before it hands the message out. The window counts
// the messages whose acknowledgements are held in this way, and the records made of them that Kafka
// has not confirmed. The one rule that "nothing acknowledged is lost" stands on is MayWrite().
//
//   open --ShouldClose--> closed --all reported ok, flushed--> open
//     \________________________\--one failed, or overdue--> failed --all reported, socket gone-->
//     open
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace heliograph::ingest {

struct WindowLimits {
  std::size_t max_messages = 20'000;
  std::size_t max_bytes = 8 * 1024 * 1024;
  std::chrono::milliseconds max_age{100};
  std::chrono::milliseconds confirm{10'000};  // from its end of reading to Kafka's last report
};

// Why reading ended.
enum class WindowEnd {
  kMessages,
  kBytes,
  kAge,
  kConfirmed
};  // kConfirmed: nothing more had come, and all was confirmed
std::string_view WindowEndName(WindowEnd end);

// Threads: one thread.
class Window {
 public:
  explicit Window(WindowLimits limits) : limits_(limits) {}

  // A message came; its acknowledgement is held from now on.
  void Hold(std::size_t bytes, base::SteadyTime now);
  // A record of it was handed to Kafka.
  void Sent() { ++outstanding_; }
  // Kafka's word on one record. Precondition: one is outstanding.
  void Reported(bool delivered);
  // It cannot be delivered: the acknowledgements must not leave.
  void Fail() { failed_ = true; }

  // The limit that is reached, if one is; then nothing more may be read.
  std::optional<WindowEnd> ShouldClose(base::SteadyTime now) const;
  void Close(base::SteadyTime now);
  // Whether Kafka has taken too long.
  bool Overdue(base::SteadyTime now) const;

  // THE INVARIANT: whether the MQTT library may write to the socket. False while a record handed to
  // Kafka is unconfirmed, and for good once one has failed.
  bool MayWrite() const { return outstanding_ == 0 && !failed_; }

  // Nobody will report on what is outstanding any more: its producer is gone.
  void Abandon();

  // Everything held was written, or is gone with its connection. Precondition: nothing is
  // outstanding.
  void Reset();

  std::size_t held() const { return held_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t outstanding() const { return outstanding_; }
  bool failed() const { return failed_; }
  bool closed() const { return closed_at_.has_value(); }
  // Since the first message; zero when there is none.
  std::chrono::nanoseconds Age(base::SteadyTime now) const;

 private:
  WindowLimits limits_;
  std::size_t held_ = 0;  // messages
  std::size_t bytes_ = 0;
  std::size_t outstanding_ = 0;  // records
  bool failed_ = false;
  base::SteadyTime opened_at_{};  // the first message, while held_ > 0
  std::optional<base::SteadyTime> closed_at_;
};

}  // namespace heliograph::ingest
