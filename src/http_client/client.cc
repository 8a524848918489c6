#include "http_client/client.h"

#include <new>

#include "http_client/call.h"

namespace heliograph::http_client {

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
  EasyHandle handle;  // keeps its connections across curl_easy_reset
};

Client::Client(const ClientConfig& config) : state_(std::make_unique<State>(config)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

base::Result<Response> Client::Send(const Request& request) { return Perform(request, nullptr); }

base::Result<Response> Client::Listen(const Request& request,
                                      std::chrono::milliseconds longest_silence,
                                      const std::function<bool(std::string_view)>& on_text) {
  Listener listener{on_text, longest_silence};
  return Perform(request, &listener);
}

base::Result<Response> Client::Perform(const Request& request, Listener* listener) {
  CURL* const handle = state_->handle.get();
  curl_easy_reset(handle);
  Call call(state_->config, request, listener);
  if (base::Status prepared = call.Prepare(handle); !prepared) return std::move(prepared).error();
  return call.Finish(curl_easy_perform(handle));
}

}  // namespace heliograph::http_client
