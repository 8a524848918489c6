#include "fleet/epoll.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace heliograph::fleet {

Epoll::Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)), events_(1024) {
  if (!fd_) throw std::system_error(errno, std::generic_category(), "epoll");
}

bool Epoll::Add(int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return ::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Epoll::Change(int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  ::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Epoll::Remove(int fd) { ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<const epoll_event> Epoll::Wait(std::chrono::milliseconds longest) {
  const int count = ::epoll_wait(fd_.get(), events_.data(), static_cast<int>(events_.size()),
                                 static_cast<int>(longest.count()));
  return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace heliograph::fleet
