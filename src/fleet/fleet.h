// Thousands of simulated devices in one loop on one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "device/topic.h"
#include "fleet/console.h"
#include "fleet/counters.h"
#include "fleet/epoll.h"
#include "fleet/options.h"
#include "fleet/recording.h"
#include "fleet/report.h"
#include "fleet/simulated_device.h"
#include "mqtt/shared_tls.h"

namespace heliograph::fleet {

// Threads: one thread.
class Fleet {
 public:
  // Throws StartupError: a certificate or the recording is missing or wrong, or there are too few
  // file descriptors.
  explicit Fleet(Options options);
  ~Fleet();

  // Until it is told to end, or its time or its messages are over. Returns the exit code.
  int Run();

 private:
  enum class Phase { kRunning, kDraining, kLeaving, kEnded };
  // When a device wants to be asked again. Entries may be out of date: then there is just nothing
  // to do.
  using Timer = std::pair<base::SteadyTime, std::size_t>;

  void Turn();
  std::chrono::milliseconds LongestWait() const;
  void Handle(const epoll_event& event);
  // Does something with a device, then brings what is known of it up to date. Everything that
  // touches one goes through here.
  template <class Action>
  void With(std::size_t index, Action action);
  void Watch(std::size_t index);
  void ConnectSome();
  void RunTimers();
  void SendTelemetry();
  void Fill(SimulatedDevice& one);
  void EverySecond();
  void Advance();  // from phase to phase
  void Enter(Phase phase, std::chrono::milliseconds longest);
  void Carry(const Order& order);
  Totals CountAll() const;
  int Finish();

  const Options options_;
  const base::SystemClock clock_;
  Console console_;
  Epoll epoll_;
  Recording recording_;
  device::TopicGrammar topics_;
  mqtt::SharedTls tls_;
  Counters counters_;
  World world_;
  std::vector<std::unique_ptr<SimulatedDevice>> devices_;

  struct Watched {
    int fd = -1;
    std::uint32_t events = 0;
    base::SteadyTime timer{};  // the earliest that is queued for it
  };
  std::vector<Watched> watched_;  // by device
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::size_t connecting_ = 0;
  std::size_t next_to_connect_ = 0;
  base::SteadyTime next_connect_{};  // when to look for devices that want to connect
  std::size_t next_to_send_ = 0;

  double rate_ = 0;
  double budget_ = 0;  // messages that may be sent now
  base::SteadyTime budget_at_{};
  base::SteadyTime started_{};
  base::SteadyTime next_second_{};
  Counters last_second_;

  Phase phase_ = Phase::kRunning;
  base::SteadyTime phase_until_{};
  bool phase_is_new_ = false;  // it may be over at once: do not wait for an event
  int signals_ = 0;
  bool died_ = false;
};

}  // namespace heliograph::fleet
