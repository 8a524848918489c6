#include "fleet/console.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <system_error>

namespace heliograph::fleet {

Console::Console() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGINT);
  ::sigaddset(&wanted, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &wanted, &former_mask_);
  signals_ = base::UniqueFd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw std::system_error(errno, std::generic_category(), "signalfd");
}

Console::~Console() { ::pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr); }

std::vector<Order> Console::ReadOrders(bool& ended) {
  char bytes[4096];
  const ssize_t got = ::read(input_fd(), bytes, sizeof bytes);
  ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
  std::vector<Order> orders;
  if (got <= 0) return orders;
  partial_.append(bytes, static_cast<std::size_t>(got));
  for (auto end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n')) {
    const std::string line = partial_.substr(0, end);
    partial_.erase(0, end + 1);
    if (const auto order = ParseOrder(line)) {
      orders.push_back(*order);
    } else if (!line.empty()) {
      std::cerr << "not an order: " << line
                << " (status, rate N, kill NAME, offline NAME, online NAME, flap NAME N, quit)\n";
    }
  }
  return orders;
}

void Console::TakeSignal() {
  signalfd_siginfo info;
  [[maybe_unused]] const auto got = ::read(signals_.get(), &info, sizeof info);
}

}  // namespace heliograph::fleet
