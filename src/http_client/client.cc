#include "http_client/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <new>

#include "base/unique_handle.h"

namespace heliograph::http_client {
namespace {

using base::ErrorCode;
using Handle = base::UniqueHandle<CURL, &curl_easy_cleanup>;
using HeaderList = base::UniqueHandle<curl_slist, &curl_slist_free_all>;

// libcurl counts calls of its global set-up; each is paired with a clean-up.
class Library {
 public:
  Library() {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::bad_alloc();
  }
  ~Library() { curl_global_cleanup(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

struct Receiver {
  Response response;
  std::size_t most = 0;
  bool too_large = false;
};

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

// libcurl's callbacks: less than `size * count` ends the transfer.
std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto& receiver = *static_cast<Receiver*>(user);
  const std::size_t bytes = size * count;
  if (receiver.response.body.size() + bytes > receiver.most) {
    receiver.too_large = true;
    return 0;
  }
  receiver.response.body.append(data, bytes);
  return bytes;
}

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto& receiver = *static_cast<Receiver*>(user);
  const std::string_view line(data, size * count);
  // A status line begins a new set: what came with a 100 Continue is not the answer's.
  if (line.starts_with("HTTP/")) receiver.response.headers.clear();
  const std::size_t colon = line.find(':');
  if (colon != line.npos) {
    receiver.response.headers.emplace_back(LowerCase(Trimmed(line.substr(0, colon))),
                                           Trimmed(line.substr(colon + 1)));
  }
  return size * count;
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

void ClientConfig::Bind(config::Binder& binder) {
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  binder.Duration(connect_timeout, "connect_timeout_ms", {milliseconds(1), minutes(1)},
                  "How long a connection may take, with TLS.");
  binder.Duration(timeout, "timeout_ms", {milliseconds(1), minutes(10)},
                  "How long a whole call may take.");
  binder.Integer(max_response_bytes, "max_response_bytes", {1, 1 << 30},
                 "The longest body that is taken.");
  binder.String(ca_file, "ca_file",
                "Certificates that verify https servers; empty = those of the system.");
  binder.String(proxy, "proxy",
                "A proxy, as http://host:3128; empty = none. The environment is not consulted.");
}

std::optional<std::string_view> Response::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return std::nullopt;
}

struct Client::State {
  explicit State(const ClientConfig& given) : config(given), handle(curl_easy_init()) {
    if (handle == nullptr) throw std::bad_alloc();
  }

  Library library;
  ClientConfig config;
  Handle handle;  // keeps its connections across curl_easy_reset
  std::array<char, CURL_ERROR_SIZE> message{};

  void Prepare(const Request& request, const HeaderList& headers, Receiver& receiver);
  base::Error ErrorOf(CURLcode code, const Request& request, const Receiver& receiver) const;
};

void Client::State::Prepare(const Request& request, const HeaderList& headers, Receiver& receiver) {
  CURL* curl = handle.get();
  curl_easy_reset(curl);
  message.fill('\0');
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message.data());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROXY, config.proxy.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "heliograph/" HELIOGRAPH_VERSION);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!config.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, config.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(config.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(config.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  if (CarriesBody(request)) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  }
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &receiver);
}

base::Error Client::State::ErrorOf(CURLcode code, const Request& request,
                                   const Receiver& receiver) const {
  if (receiver.too_large) {
    return base::MakeError(ErrorCode::kTooLarge,
                           "the answer of " + request.url + " is longer than " +
                               std::to_string(config.max_response_bytes) + " bytes");
  }
  const char* words = message.front() != '\0' ? message.data() : curl_easy_strerror(code);
  return base::MakeError(CodeOf(code), request.url + ": " + words);
}

Client::Client(const ClientConfig& config) : state_(std::make_unique<State>(config)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

base::Result<Response> Client::Send(const Request& request) {
  if (request.url.find('\0') != request.url.npos || request.method.empty() ||
      HasLineEnd(request.method)) {
    return base::MakeError(ErrorCode::kInvalidArgument, "the request's line cannot be sent");
  }
  auto headers = MakeHeaders(request.headers);
  if (!headers) return std::move(headers).error();
  Receiver receiver;
  receiver.most = static_cast<std::size_t>(state_->config.max_response_bytes);
  state_->Prepare(request, *headers, receiver);
  const CURLcode code = curl_easy_perform(state_->handle.get());
  if (code != CURLE_OK) return state_->ErrorOf(code, request, receiver);
  long status = 0;
  curl_easy_getinfo(state_->handle.get(), CURLINFO_RESPONSE_CODE, &status);
  receiver.response.status = static_cast<int>(status);
  return std::move(receiver.response);
}

}  // namespace heliograph::http_client
