// Calls other services over HTTP. No libcurl in sight.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/binder.h"
#include "http_client/address.h"

namespace heliograph::http_client {

struct ClientConfig {
  std::chrono::milliseconds connect_timeout{std::chrono::seconds(3)};
  std::chrono::milliseconds timeout{std::chrono::seconds(15)};
  std::int64_t max_response_bytes = 64 * 1024 * 1024;
  std::string ca_file;
  std::string proxy;
  // Not of the file: what a caller may need whose URLs somebody else chooses. `addresses` is asked
  // at each connection that is made, about the address that it is made to, whatever the name was
  // thought to mean before; nullptr = all may be called. Useless with a proxy.
  std::shared_ptr<const AddressPolicy> addresses = nullptr;
  // A longer answer is cut at max_response_bytes, and its connection closed; else it is kTooLarge.
  bool cut_long_answers = false;

  void Bind(config::Binder& binder);
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string url = {};
  Headers headers = {};   // names and values without line ends, else kInvalidArgument
  std::string body = {};  // sent when it is not empty, or the method is POST, PUT or PATCH
};

struct Response {
  int status = 0;
  Headers headers;  // names in lower case, in the order of arrival
  std::string body;
  bool cut = false;  // there was more: cut_long_answers

  std::optional<std::string_view> Header(std::string_view lower_case_name) const;
};

struct Listener;

// Keeps connections open between calls. Follows no redirect, consults no environment variable.
// Threads: one thread.
class Client {
 public:
  explicit Client(const ClientConfig& config);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Any answer is a Response, whatever its status. Errors: kUnavailable (no connection, or it
  // broke), kDeadlineExceeded, kTooLarge (over max_response_bytes), kInvalidArgument (no such URL,
  // a bad header, an address that may not be called), kPermissionDenied (TLS: the server's
  // certificate is not to be trusted).
  base::Result<Response> Send(const Request& request);

  // The same for an answer that goes on: what comes with a status of 200 is given to `on_text`
  // piece by piece, and not to the Response; when that answers false, the call ends as if the
  // server had ended it. No limit of length, and of time only for silence: after `longest_silence`
  // without a byte kDeadlineExceeded.
  base::Result<Response> Listen(const Request& request, std::chrono::milliseconds longest_silence,
                                const std::function<bool(std::string_view)>& on_text);

 private:
  struct State;
  base::Result<Response> Perform(const Request& request, Listener* listener);

  std::unique_ptr<State> state_;
};

}  // namespace heliograph::http_client
