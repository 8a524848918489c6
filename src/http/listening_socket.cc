#include "http/listening_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <string>

#include "base/unique_fd.h"

namespace heliograph::http {

std::set<int> ListeningSockets() {
  std::set<int> listening;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const std::string name = entry.path().filename();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    int accepts = 0;
    socklen_t size = sizeof accepts;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) == 0 && accepts != 0) {
      listening.insert(fd);
    }
  }
  return listening;
}

void StopListening(int fd) noexcept {
  const base::UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (nothing) ::dup3(nothing.get(), fd, O_CLOEXEC);
}

}  // namespace heliograph::http
