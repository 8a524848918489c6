#include "auth/key_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>

#include "base/unique_fd.h"

namespace heliograph::auth {
namespace {

constexpr std::size_t kLargestFile = 1024 * 1024;

base::Error Unreadable(const std::string& why) {
  return base::MakeError(base::ErrorCode::kUnavailable, why);
}

}  // namespace

base::Result<std::string> KeyFile::Read() {
  const base::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Unreadable(path_ + ": " + std::generic_category().message(errno));
  std::string content;
  std::array<char, 16384> buffer{};
  while (content.size() <= kLargestFile) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got == 0) return content;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unreadable(path_ + ": " + std::generic_category().message(errno));
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return Unreadable(path_ + " has more than 1 MiB");
}

base::Result<std::string> KeyUrl::Read() {
  http_client::Request request;
  request.url = url_;
  request.headers = {{"accept", "application/jwk-set+json, application/json"}};
  auto response = client_.Send(request);
  if (!response) return Unreadable(response.error().message);
  if (response->status != 200) {
    return Unreadable(url_ + " answers " + std::to_string(response->status));
  }
  return std::move(response->body);
}

}  // namespace heliograph::auth
