#include "mqtt/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/thread_name.h"
#include "base/unique_handle.h"

namespace heliograph::mqtt {
namespace {

using Addresses = base::Result<std::vector<std::string>>;

std::vector<std::string> AsText(const addrinfo* found) {
  std::vector<std::string> texts;
  for (; found != nullptr; found = found->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0 &&
        std::find(texts.begin(), texts.end(), text) == texts.end()) {
      texts.emplace_back(text);
    }
  }
  return texts;
}

Addresses Resolve(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  if (const int fault = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); fault != 0) {
    return base::MakeError(base::ErrorCode::kUnavailable,
                           "the address of '" + host + "' is not known: " + ::gai_strerror(fault));
  }
  const base::UniqueHandle<addrinfo, ::freeaddrinfo> owned(found);
  return AsText(found);
}

// Shared by the one who asks and the thread that looks it up, whoever ends last.
struct Question {
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<Addresses> answer;  // guarded by mutex
};

}  // namespace

base::Result<HostPort> ParseHostPort(std::string_view text) {
  const auto fault = [&] {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "'" + std::string(text) + "' is not host:port");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return fault();
  std::string_view host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fault();
  }
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || port == 0 ||
      host.empty() || host.find_first_of(" /\t") != std::string_view::npos) {
    return fault();
  }
  return HostPort{std::string(host), port};
}

base::Result<std::vector<std::string>> ResolveHost(const std::string& host,
                                                   std::chrono::milliseconds timeout) {
  if (Addresses numeric = Resolve(host, AI_NUMERICHOST); numeric) return numeric;
  auto question = std::make_shared<Question>();
  std::thread([question, host] {
    base::NameThisThread("mqtt-resolve");
    Addresses answer = Resolve(host, AI_ADDRCONFIG);
    const std::lock_guard lock(question->mutex);
    question->answer = std::move(answer);
    question->answered.notify_one();
  }).detach();
  std::unique_lock lock(question->mutex);
  if (!question->answered.wait_for(lock, timeout, [&] { return question->answer.has_value(); })) {
    return base::MakeError(base::ErrorCode::kDeadlineExceeded,
                           "the resolver did not answer for '" + host + "' in time");
  }
  return *std::move(question->answer);
}

}  // namespace heliograph::mqtt
