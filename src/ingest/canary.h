// Whether what devices publish really reaches us. A broker never refuses a SUBSCRIBE, so a wrong
// access list shows nowhere else: a message that the second connection publishes must come back
// over the first. A device's message is as good. And whether another process uses our session: it
// receives what we send while the session is its, and we receive what it sends. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace heliograph::ingest {

// Threads: one thread.
class Canary {
 public:
  // `process` is unique to this process; no '/' in it.
  Canary(const std::string& client_id, const std::string& process)
      : session_(client_id + "/"), process_(session_ + process + "/") {}

  // The main connection was accepted, with this id; canaries are due once it has subscribed.
  void Begin(const std::string& connection_id);
  // It has ended; true: there was one.
  bool End();
  // The payload to send when the connection was lost: another process that has taken the session
  // receives it.
  std::string Farewell() const { return process_ + "farewell"; }

  // The payload to send now; nothing when it is not time yet, or nothing is subscribed.
  std::optional<std::string> Due(base::SteadyTime now);
  // A canary came back. One of another connection, or of another process, says nothing about this
  // one.
  // True: the first sign of life of this connection.
  bool Came(std::string_view payload, base::SteadyTime now);
  // Whether another process with our client id has sent it.
  bool IsOfAnotherProcess(std::string_view payload) const {
    return payload.starts_with(session_) && !payload.starts_with(process_);
  }
  // A device's message came. True as above.
  bool MessageCame(base::SteadyTime now) {
    const bool first = !heard_at_;
    heard_at_ = now;
    return first;
  }
  // Nothing is read for now, so nothing can come.
  void Excuse(base::SteadyTime now);

  std::string problem(base::SteadyTime now) const;  // "" while messages come through

 private:
  const std::string session_;  // how all canaries of this client id begin
  const std::string process_;  // how ours begin
  std::string connection_id_;  // "" = not subscribed
  int sent_ = 0;
  base::SteadyTime next_{};
  std::optional<base::SteadyTime> heard_at_;
};

}  // namespace heliograph::ingest
