// Calls of one thread to many services at a time, none of which waits for another.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "http_client/client.h"

namespace heliograph::http_client {

// Keeps connections open between calls, as Client does. Threads: one thread, but Wake.
class Transfers {
 public:
  using Done = std::function<void(base::Result<Response>)>;

  // Never more connections than `most`, those included that are kept.
  Transfers(const ClientConfig& config, std::size_t most);
  ~Transfers();  // what is under way is given up: nobody hears of it
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // Begins a call, of which there are less than `most` under way. `done` is called once, from Run:
  // result and errors as Client::Send.
  void Start(Request request, Done done);
  std::size_t under_way() const;

  // Goes on with all calls; returns after some have ended, after Wake, or when `wait` is over.
  void Run(std::chrono::milliseconds wait);
  // Ends the Run that is on, or the next one. Any thread.
  void Wake() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace heliograph::http_client
