#include "contract/http/test_server.h"

#include <cstdlib>
#include <numeric>
#include <stdexcept>

namespace heliograph::http::testing {
namespace {

Response Text(std::string body) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

Response See(const Request& request) {
  return Text("method=" + request.method + " path=" + request.path + " id=" + request.request_id +
              " authorization=" + std::string(request.Header("authorization").value_or("none")) +
              " q=" + std::string(request.Query("q").value_or("none")) +
              " from=" + request.remote_address + " body=" + request.body);
}

Response BadHeader() {
  Response response = Text("x");
  response.headers = {{"x-good", "1"},
                      {"x-bad", "a\r\nx-smuggled: 1"},
                      {"bad name", "1"},
                      {"content-length", "99"}};
  return response;
}

Response NoContent() {
  Response response = Text("never sent");
  response.status = 204;
  return response;
}

}  // namespace

ServerConfig SmallServer() {
  ServerConfig config;
  config.port = 0;
  config.io_threads = 2;
  config.handler_threads = 4;
  config.request_timeout = std::chrono::seconds(20);
  return config;
}

TestServer::TestServer(const ServerConfig& config) {
  router_.Add("GET", "/tiny", [](const Request&) { return Text(R"({"ok":true})"); });
  router_.Add("POST", "/echo", [](const Request& request) { return Text(request.body); });
  router_.Add("GET", "/big", [](const Request& request) {
    const std::string bytes(request.Query("bytes").value_or("0"));
    return Text(std::string(static_cast<std::size_t>(std::atoll(bytes.c_str())), 'b'));
  });
  router_.Add("GET", "/slow", [this](const Request&) { return Slow(); });
  router_.Add("GET", "/see", See);
  router_.Add("POST", "/see", See);
  router_.Add("GET", "/throw-int", [](const Request&) -> Response { throw 7; });
  router_.Add("GET", "/throw-error",
              [](const Request&) -> Response { throw std::runtime_error("the secret"); });
  router_.Add("GET", "/bad-header", [](const Request&) { return BadHeader(); });
  router_.Add("GET", "/no-content", [](const Request&) { return NoContent(); });
  router_.Add("GET", "/things/{id}",
              [](const Request& request) { return Text(request.path_parameters.at("id")); });
  server_ = std::make_unique<Server>(
      config, "test", [this](const Request& request) { return Handle(request); }, registry_);
}

TestServer::~TestServer() {
  Release();
  Stop();
}

Response TestServer::Handle(const Request& request) {
  {
    const std::lock_guard lock(mutex_);
    ++handled_[request.path];
  }
  return router_.Route(request);
}

Response TestServer::Slow() {
  slow_waiting_.fetch_add(1);
  std::unique_lock lock(mutex_);
  released_changed_.wait(lock, [this] { return released_; });
  slow_waiting_.fetch_sub(1);
  return Text("slow");
}

void TestServer::Release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  released_changed_.notify_all();
}

int TestServer::Handled(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = handled_.find(path);
  return found == handled_.end() ? 0 : found->second;
}

int TestServer::handled() const {
  const std::lock_guard lock(mutex_);
  return std::accumulate(handled_.begin(), handled_.end(), 0,
                         [](int sum, const auto& one) { return sum + one.second; });
}

double TestServer::Rejected(const std::string& cause) {
  return registry_
      .AddCounter("heliograph_http_rejected_total",
                  "Requests refused by the server, and connections dropped, by cause.",
                  {{"server", "test"}, {"cause", cause}})
      .Value();
}

}  // namespace heliograph::http::testing
