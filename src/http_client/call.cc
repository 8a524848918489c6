#include "http_client/call.h"

#include <sys/socket.h>

#include <algorithm>
#include <new>

namespace heliograph::http_client {
namespace {

using base::ErrorCode;

// Of all headers of one answer. libcurl bounds a line, but not their number.
constexpr std::size_t kMostHeaderBytes = 256 * 1024;

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool HasLineEnd(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

base::Result<HeaderList> MakeHeaders(const Headers& headers) {
  HeaderList list;
  // libcurl's own "Expect: 100-continue" costs a round trip, and servers that do not know it cost a
  // second.
  std::vector<std::string> lines{"Expect:"};
  for (const auto& [name, value] : headers) {
    if (name.empty() || HasLineEnd(name) || HasLineEnd(value) || name.find(':') != name.npos) {
      return base::MakeError(ErrorCode::kInvalidArgument,
                             "a header's name or value cannot be sent");
    }
    // "Name;" is how libcurl writes a header without a value.
    lines.push_back(value.empty() ? name + ";" : name + ": " + value);
  }
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list.release();
    list.reset(longer);
  }
  return list;
}

ErrorCode CodeOf(CURLcode code) {
  // libcurl has a hundred codes, and more with each version: what is not named here means that no
  // answer came.
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::kDeadlineExceeded;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return ErrorCode::kInvalidArgument;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return ErrorCode::kPermissionDenied;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return ErrorCode::kInternal;
    default:
      return ErrorCode::kUnavailable;
  }
}

bool CarriesBody(const Request& request) {
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
         request.method == "PATCH";
}

}  // namespace

Library::Library() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::bad_alloc();
}
Library::~Library() { curl_global_cleanup(); }

// libcurl's: less than `size * count`, or another number than 0 of OnProgress, ends the transfer.
struct Call::Callbacks {
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) noexcept {
    auto& self = *static_cast<Call*>(user);
    const std::size_t bytes = size * count;
    if (self.listener_ != nullptr) {
      self.listener_->heard_at = std::chrono::steady_clock::now();
      if (self.StatusNow() == 200) {
        self.listener_->enough = !self.listener_->on_text({data, bytes});
        return self.listener_->enough ? 0 : bytes;
      }
    }
    std::string& body = self.response_.body;
    const auto most = static_cast<std::size_t>(self.config_.max_response_bytes);
    if (body.size() + bytes > most) {
      self.too_large_ = true;
      if (self.config_.cut_long_answers) body.append(data, most - body.size());
      return 0;
    }
    body.append(data, bytes);
    return bytes;
  }

  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count,
                              void* user) noexcept {
    auto& self = *static_cast<Call*>(user);
    const std::string_view line(data, size * count);
    self.header_bytes_ += line.size();
    if (self.header_bytes_ > kMostHeaderBytes) return 0;
    Headers& headers = self.response_.headers;
    // A status line begins a new set: what came with a 100 Continue is not the answer's.
    if (line.starts_with("HTTP/")) headers.clear();
    const std::size_t colon = line.find(':');
    if (colon != line.npos) {
      headers.emplace_back(LowerCase(Trimmed(line.substr(0, colon))),
                           Trimmed(line.substr(colon + 1)));
    }
    return line.size();
  }

  // At least once a second, also while nothing comes.
  static int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    Listener& listener = *static_cast<Call*>(user)->listener_;
    const auto silence = std::chrono::steady_clock::now() - listener.heard_at;
    listener.silent = silence > listener.longest_silence;
    return listener.silent ? 1 : 0;
  }

  // The last moment before a connection is made, with the very address that it will be made to:
  // nothing can change between the look and the connect.
  static curl_socket_t OnSocket(void* user, curlsocktype, curl_sockaddr* to) noexcept {
    auto& self = *static_cast<Call*>(user);
    if (self.config_.addresses) {
      const auto address = Address::Of(to->addr);
      if (!address || !self.config_.addresses->Allows(*address)) {
        self.refused_ = true;
        return CURL_SOCKET_BAD;
      }
    }
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }
};

base::Status Call::Prepare(CURL* handle) {
  if (request_.url.find('\0') != request_.url.npos || request_.method.empty() ||
      HasLineEnd(request_.method)) {
    return base::MakeError(ErrorCode::kInvalidArgument, "the request's line cannot be sent");
  }
  auto headers = MakeHeaders(request_.headers);
  if (!headers) return std::move(headers).error();
  headers_ = *std::move(headers);
  handle_ = handle;
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, message_.data());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROXY, config_.proxy.c_str());
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "heliograph/" HELIOGRAPH_VERSION);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!config_.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, config_.ca_file.c_str());
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(config_.connect_timeout.count()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(config_.timeout.count()));
  // A name that is still being looked up when the time is over is not waited for.
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
  if (config_.addresses) curl_easy_setopt(handle, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(handle, CURLOPT_URL, request_.url.c_str());
  if (CarriesBody(request_)) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request_.body.data());
  }
  if (request_.method == "HEAD") curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Callbacks::OnBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Callbacks::OnHeader);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &Callbacks::OnSocket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, this);
  if (listener_ == nullptr) return {};
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 0L);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Callbacks::OnProgress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, this);
  return {};
}

int Call::StatusNow() const {
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

base::Result<Response> Call::Finish(CURLcode code) {
  response_.cut = too_large_ && config_.cut_long_answers;
  const bool enough = response_.cut || (listener_ != nullptr && listener_->enough);
  if (code != CURLE_OK && !enough) return ErrorOf(code);
  response_.status = StatusNow();
  return std::move(response_);
}

base::Error Call::ErrorOf(CURLcode code) const {
  if (too_large_) {
    return base::MakeError(ErrorCode::kTooLarge,
                           "the answer of " + request_.url + " is longer than " +
                               std::to_string(config_.max_response_bytes) + " bytes");
  }
  if (header_bytes_ > kMostHeaderBytes) {
    return base::MakeError(ErrorCode::kTooLarge,
                           "the answer of " + request_.url + " has too many headers");
  }
  if (listener_ != nullptr && listener_->silent) {
    return base::MakeError(ErrorCode::kDeadlineExceeded, request_.url + ": nothing came any more");
  }
  // Another address of the same name may have been tried in vain; this one is what to know of.
  if (refused_ && code == CURLE_COULDNT_CONNECT) {
    return base::MakeError(ErrorCode::kInvalidArgument,
                           request_.url + ": it leads to an address that may not be called");
  }
  const char* words = message_.front() != '\0' ? message_.data() : curl_easy_strerror(code);
  long sent = 0;
  curl_easy_getinfo(handle_, CURLINFO_REQUEST_SIZE, &sent);
  // After a request it is the answer that is no HTTP, not the URL.
  const bool is_garbage = code == CURLE_UNSUPPORTED_PROTOCOL && sent > 0;
  return base::MakeError(is_garbage ? ErrorCode::kUnavailable : CodeOf(code),
                         request_.url + ": " + words);
}

}  // namespace heliograph::http_client
