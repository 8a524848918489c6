#include "fleet/fleet.h"

#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <limits>
#include <utility>

#include "base/startup_error.h"
#include "base/uuid.h"

namespace heliograph::fleet {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::size_t kConnectingAtOnce = 64;  // more make the broker's backlog overflow
constexpr std::uint64_t kInputTag = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kSignalTag = kInputTag - 1;
constexpr milliseconds kLeaveWithin{5000};
constexpr rlim_t kDescriptorsPerDevice =
    3;  // its socket, and libmosquitto's pair of sockets to wake itself

void RaiseDescriptorLimit(std::size_t devices) {
  const rlim_t needed = devices * kDescriptorsPerDevice + 64;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return;
  const rlim_t hard = limit.rlim_max;
  limit.rlim_cur = std::min(needed, hard);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (needed > hard) {
    throw base::StartupError(std::to_string(devices) + " devices need " + std::to_string(needed) +
                             " file descriptors, the limit is " + std::to_string(hard) +
                             " (ulimit -Hn)");
  }
}

Recording LoadRecording(const Options& options) {
  if (options.recording.empty()) return Recording::BuiltIn();
  auto recording = Recording::Read(options.recording);
  if (!recording) throw base::StartupError(recording.error().message);
  return *std::move(recording);
}

std::string CaFile(const Options& options) {
  return options.ca_file.empty() ? options.certs + "/ca.crt" : options.ca_file;
}

std::string RunName(const Options& options) {
  return options.run.empty() ? base::NewUuid().substr(0, 8) : options.run;
}

}  // namespace

Fleet::Fleet(Options options)
    : options_(std::move(options)),
      recording_(LoadRecording(options_)),
      topics_(*device::TopicGrammar::Create(options_.topic_prefix)),
      tls_(CaFile(options_)),
      world_{options_, topics_,   recording_,        clock_,
             tls_,     counters_, RunName(options_), options_.rate == 0 && options_.interval > 0ms},
      rate_(static_cast<double>(options_.rate)) {
  auto names = DeviceNames(options_);
  if (!names) throw base::StartupError(names.error().message);
  RaiseDescriptorLimit(names->size());
  devices_.reserve(names->size());
  for (std::string& name : *names) {
    devices_.push_back(std::make_unique<SimulatedDevice>(world_, std::move(name), devices_.size()));
  }
  watched_.resize(devices_.size());
  epoll_.Add(console_.signal_fd(), EPOLLIN, kSignalTag);
  epoll_.Add(console_.input_fd(), EPOLLIN, kInputTag);
}

Fleet::~Fleet() = default;

int Fleet::Run() {
  started_ = budget_at_ = clock_.SteadyNow();
  next_second_ = started_ + 1s;
  while (phase_ != Phase::kEnded) Turn();
  return Finish();
}

void Fleet::Turn() {
  const milliseconds longest = std::exchange(phase_is_new_, false) ? 0ms : LongestWait();
  for (const epoll_event& event : epoll_.Wait(longest)) Handle(event);
  RunTimers();
  ConnectSome();
  SendTelemetry();
  if (clock_.SteadyNow() >= next_second_) EverySecond();
  Advance();
}

milliseconds Fleet::LongestWait() const {
  const base::SteadyTime now = clock_.SteadyNow();
  base::SteadyTime until = next_second_;
  if (!timers_.empty()) until = std::min(until, timers_.top().first);
  if (connecting_ < kConnectingAtOnce && phase_ < Phase::kLeaving)
    until = std::min(until, next_connect_);
  const bool sending = rate_ > 0 && phase_ == Phase::kRunning && counters_.online > 0;
  if (sending) until = std::min(until, now + milliseconds(rate_ > 1000 ? 1 : 5));
  return std::clamp(std::chrono::ceil<milliseconds>(until - now), 0ms, 1000ms);
}

void Fleet::Handle(const epoll_event& event) {
  if (event.data.u64 == kSignalTag) {
    console_.TakeSignal();
    if (++signals_ > 1) return Enter(Phase::kEnded, 0ms);
    return Enter(Phase::kDraining, std::min(options_.drain, kLeaveWithin));
  }
  if (event.data.u64 == kInputTag) {
    bool ended = false;
    for (const Order& order : console_.ReadOrders(ended)) Carry(order);
    if (ended) epoll_.Remove(console_.input_fd());
    return;
  }
  const bool readable = (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0;
  With(static_cast<std::size_t>(event.data.u64), [&](SimulatedDevice& one) {
    one.OnReady(readable);
    if (one.IsHalfFree()) Fill(one);
  });
}

template <class Action>
void Fleet::With(std::size_t index, Action action) {
  SimulatedDevice& one = *devices_[index];
  const auto is_connecting = [&] {
    return one.state() == SimulatedDevice::State::kConnecting ? 1U : 0U;
  };
  const std::size_t before = is_connecting();
  action(one);
  connecting_ = connecting_ - before + is_connecting();
  if (before > is_connecting() || one.ConnectAt()) next_connect_ = {};
  Watch(index);
}

// What epoll and the timers know of a device.
void Fleet::Watch(std::size_t index) {
  SimulatedDevice& one = *devices_[index];
  Watched& watched = watched_[index];
  const int fd = one.fd();
  const std::uint32_t events =
      fd < 0 ? 0 : EPOLLIN | (one.WantsWrite() ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  if (fd >= 0 && fd != watched.fd) {
    epoll_.Add(fd, events, index);
  } else if (fd >= 0 && events != watched.events) {
    epoll_.Change(fd, events, index);
  }
  watched.fd = fd;  // one that was closed has left epoll by itself
  watched.events = events;
  const auto timer = one.NextTimer();
  const bool earlier = timer && (watched.timer == base::SteadyTime{} || *timer < watched.timer);
  if (earlier) {
    watched.timer = *timer;
    timers_.emplace(*timer, index);
  }
}

void Fleet::ConnectSome() {
  const base::SteadyTime now = clock_.SteadyNow();
  if (phase_ == Phase::kLeaving || now < next_connect_) return;
  auto next = now + 1h;
  for (std::size_t tried = 0; tried < devices_.size() && connecting_ < kConnectingAtOnce; ++tried) {
    const std::size_t index = next_to_connect_++ % devices_.size();
    const auto at = devices_[index]->ConnectAt();
    if (!at) continue;
    if (*at > now) {
      next = std::min(next, *at);
      continue;
    }
    watched_[index].fd = -1;
    With(index, [](SimulatedDevice& one) { one.StartConnecting(); });
    if (const auto again = devices_[index]->ConnectAt()) next = std::min(next, *again);
  }
  next_connect_ = next;  // sooner when one of the connecting ones is done, or another is lost
}

void Fleet::RunTimers() {
  const base::SteadyTime now = clock_.SteadyNow();
  while (!timers_.empty() && timers_.top().first <= now) {
    const std::size_t index = timers_.top().second;
    timers_.pop();
    watched_[index].timer = {};
    With(index, [&](SimulatedDevice& one) { one.OnTimer(now); });
  }
}

void Fleet::SendTelemetry() {
  const base::SteadyTime now = clock_.SteadyNow();
  const double elapsed = std::chrono::duration<double>(now - budget_at_).count();
  budget_at_ = now;
  if (rate_ <= 0 || phase_ != Phase::kRunning) return;
  budget_ = std::min(budget_ + rate_ * elapsed, std::max(1.0, rate_ / 10));
  // From another device each time, so that a small budget does not always go to the same.
  for (std::size_t tried = 0; tried < devices_.size() && budget_ >= 1; ++tried) {
    const std::size_t index = next_to_send_++ % devices_.size();
    if (!devices_[index]->CanSend()) continue;
    const bool in_batches = rate_ >= 1000;
    if (in_batches && !devices_[index]->IsHalfFree()) continue;
    With(index, [&](SimulatedDevice& one) {
      if (in_batches) return Fill(one);
      budget_ -= one.SendOne() ? 1 : 0;
      one.Flush();
    });
  }
}

// As much as the device may send: what is due again always, what is new within the budget. One
// write takes it all.
void Fleet::Fill(SimulatedDevice& one) {
  while (one.CanSend() &&
         (one.HasDue() || (rate_ > 0 && phase_ == Phase::kRunning && budget_ >= 1))) {
    budget_ -= one.SendOne() ? 1 : 0;
  }
  one.Flush();
}

void Fleet::EverySecond() {
  next_second_ += 1s;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    With(i, [](SimulatedDevice& one) { one.OnSecond(); });
  }
  const Totals totals = CountAll();
  const bool news = counters_.sent != last_second_.sent ||
                    counters_.online != last_second_.online ||
                    counters_.acknowledged != last_second_.acknowledged ||
                    counters_.actions != last_second_.actions;
  if (news) std::cerr << ProgressLine(totals, last_second_) << std::endl;
  last_second_ = counters_;
}

void Fleet::Enter(Phase phase, milliseconds longest) {
  if (phase <= phase_) return;
  phase_ = phase;
  phase_is_new_ = true;
  phase_until_ = clock_.SteadyNow() + longest;
  for (std::size_t i = 0; i < devices_.size() && phase == Phase::kDraining; ++i)
    devices_[i]->StopTelemetry();
  for (std::size_t i = 0; i < devices_.size() && phase == Phase::kLeaving; ++i) {
    With(i, [](SimulatedDevice& one) { one.GoOffline(); });
  }
}

void Fleet::Advance() {
  const base::SteadyTime now = clock_.SteadyNow();
  if (options_.die_after > 0ms && now >= started_ + options_.die_after) {
    for (const auto& one : devices_) one->Die();
    died_ = true;
    return Enter(Phase::kEnded, 0ms);
  }
  const auto none = [&](auto property) {
    return std::none_of(devices_.begin(), devices_.end(), property);
  };
  switch (phase_) {
    case Phase::kRunning: {
      const bool over = options_.duration > 0ms && now >= started_ + options_.duration;
      const bool finished =
          options_.messages > 0 && none([](const auto& one) { return !one->IsFinished(); });
      if (over || finished) Enter(Phase::kDraining, options_.drain);
      return;
    }
    case Phase::kDraining:
      if (now >= phase_until_ || none([](const auto& one) { return one->Outstanding() > 0; })) {
        Enter(Phase::kLeaving, kLeaveWithin);
      }
      return;
    case Phase::kLeaving:
      if (now >= phase_until_ || none([](const auto& one) { return one->fd() >= 0; })) {
        Enter(Phase::kEnded, 0ms);
      }
      return;
    case Phase::kEnded:
      return;
  }
}

void Fleet::Carry(const Order& order) {
  if (order.kind == Order::Kind::kRate) {
    rate_ = static_cast<double>(order.number);
    world_.by_interval = false;
    return;
  }
  if (order.kind == Order::Kind::kStatus) {
    std::cout << SummaryJson(CountAll()) << std::endl;
    return;
  }
  if (order.kind == Order::Kind::kQuit) return Enter(Phase::kDraining, options_.drain);
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (!Names(order, devices_[i]->name())) continue;
    With(i, [&](SimulatedDevice& one) {
      if (order.kind == Order::Kind::kKill) one.Die();
      if (order.kind == Order::Kind::kOffline) one.GoOffline();
      if (order.kind == Order::Kind::kOnline) one.GoOnline();
      if (order.kind == Order::Kind::kFlap) one.Flap(order.number);
    });
  }
}

Totals Fleet::CountAll() const {
  Totals totals;
  totals.counters = counters_;
  totals.devices = devices_.size();
  totals.seconds = std::chrono::duration<double>(clock_.SteadyNow() - started_).count();
  for (const auto& one : devices_) {
    totals.never_online += one->WasOnline() ? 0U : 1U;
    totals.outstanding += one->Outstanding();
  }
  if (options_.receipts) totals.unreceipted = totals.outstanding;
  return totals;
}

int Fleet::Finish() {
  const Totals totals = CountAll();
  if (options_.json) {
    std::cout << SummaryJson(totals) << std::endl;
  } else {
    std::cerr << SummaryLine(totals) << std::endl;
  }
  if (!options_.acks.empty()) {
    if (const base::Status written = WriteAcks(options_.acks, world_.run, devices_); !written) {
      std::cerr << "heliograph-fleet: " << written.error().message << std::endl;
      return 1;
    }
  }
  if (died_) return 0;
  return totals.outstanding > 0 || totals.never_online > 0 || counters_.refused > 0 ? 1 : 0;
}

}  // namespace heliograph::fleet
