#include "app/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "base/thread_name.h"
#include "log/log.h"

namespace heliograph::app {
namespace {

sigset_t StopSignals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

Signals::Signals(std::function<void()> on_stop) : on_stop_(std::move(on_stop)) {
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = StopSignals();
  ::pthread_sigmask(SIG_BLOCK, &set, &former_mask_);
  signals_ = base::UniqueFd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_) throw std::system_error(errno, std::generic_category(), "signalfd");
  watcher_ = std::thread([this] { Watch(); });
}

Signals::~Signals() {
  ending_.Notify();
  watcher_.join();
  ::pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr);
}

void Signals::Watch() {
  base::NameThisThread("signals");
  const log::Logger log("app");
  pollfd watched[] = {{signals_.get(), POLLIN, 0}, {ending_.fd(), POLLIN, 0}};
  for (bool asked = false;;) {
    if (::poll(watched, 2, -1) < 0) continue;
    if ((watched[1].revents & POLLIN) != 0) return;
    signalfd_siginfo signal{};
    while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
      const int number = static_cast<int>(signal.ssi_signo);
      if (asked) std::_Exit(128 + number);
      asked = true;
      log.Info("stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
      on_stop_();
    }
  }
}

}  // namespace heliograph::app
