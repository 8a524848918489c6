#include "http/server.h"

#include <pistache/listener.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "base/startup_error.h"
#include "base/thread_name.h"
#include "http/handler_pool.h"
#include "http/io_worker.h"
#include "http/listening_socket.h"
#include "http/shared.h"
#include "log/log.h"

namespace heliograph::http {
namespace {

using std::chrono::milliseconds;

constexpr int kBacklog = 1024;
constexpr rlim_t kOtherDescriptors = 256;  // files, databases, brokers of the same process

// Pistache's accepting thread spins while the process has no descriptor left, so there must always
// be one.
void EnsureDescriptors(std::int64_t max_connections) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = static_cast<rlim_t>(max_connections) + kOtherDescriptors;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    throw base::StartupError("max_connections " + std::to_string(max_connections) + " needs " +
                             std::to_string(wanted) + " open files, the process may have " +
                             std::to_string(limit.rlim_max));
  }
}

std::string Endpoint(const ServerConfig& config) {
  return config.host + ":" + std::to_string(config.port);
}

}  // namespace

void ServerConfig::Bind(config::Binder& binder) {
  using std::chrono::hours;
  using std::chrono::minutes;
  binder.String(host, "host", "Address to listen on.");
  binder.Integer(port, "port", {0, 65535}, "Port to listen on; 0 takes any free one and logs it.");
  binder.Integer(io_threads, "io_threads", {1, 64}, "Threads that read and write sockets.");
  binder.Integer(handler_threads, "handler_threads", {1, 1024},
                 "Threads that answer requests; each may wait for the database.");
  binder.Integer(max_waiting_requests, "max_waiting_requests", {1, 1000000},
                 "Requests that may wait for a thread; more are answered 503.");
  binder.Integer(max_connections, "max_connections", {1, 1000000},
                 "Clients at a time; more are answered 503.");
  binder.Integer(max_header_bytes, "max_header_bytes", {1024, 1024 * 1024},
                 "Largest request line and header; larger is answered 431 or 414.");
  binder.Integer(max_body_bytes, "max_body_bytes", {0, 1024 * 1024 * 1024},
                 "Largest body of a request; larger is answered 413.");
  binder.Integer(
      max_held_bytes, "max_held_bytes", {1024 * 1024, std::int64_t{1} << 40},
      "Requests and answers of all clients together; beyond it bodies are answered 503.");
  binder.Duration(request_timeout, "request_timeout_ms", {milliseconds(10), minutes(10)},
                  "Time to receive a whole request; then 408.");
  binder.Duration(idle_timeout, "idle_timeout_ms", {milliseconds(10), hours(24)},
                  "Time that a connection may wait between requests.");
  binder.Duration(
      send_timeout, "send_timeout_ms", {milliseconds(10), hours(1)},
      "Time for a client to take a whole answer, or what a stream has sent; then it is dropped.");
  binder.Duration(drain_timeout, "drain_timeout_ms", {milliseconds(0), minutes(10)},
                  "Time at shutdown to answer what is in flight.");
  binder.Integer(
      max_streams, "max_streams", {0, 1000000},
      "Event streams at a time, each on a connection of its own; more are answered 503.");
  binder.Integer(max_stream_bytes, "max_stream_bytes", {1024, 1024 * 1024 * 1024},
                 "Events that may wait for one client; a slower reader is dropped.");
  binder.Duration(stream_heartbeat, "stream_heartbeat_ms", {milliseconds(10), hours(1)},
                  "A stream with nothing to send for so long sends a comment.");
}

// Order of members is order of life: the I/O threads end before the pool that they hand requests
// to.
class Server::Running {
 public:
  Running(const ServerConfig& config, std::string_view name, Handler handler,
          metrics::Registry& registry);
  ~Running();

  std::uint16_t port() const { return listener_->getPort(); }

 private:
  void Listen(const ServerConfig& config, const std::string& name);
  void Accept(const std::string& name);
  void AwaitStart() const;
  void AwaitIdle() const;

  log::Logger log_{"http"};
  std::string name_;
  std::shared_ptr<Shared> shared_;
  HandlerPool pool_;
  std::shared_ptr<IoWorkers> workers_;
  std::unique_ptr<Pistache::Tcp::Listener> listener_;
  int listening_fd_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> accept_ended_{false};
  std::thread accepting_;
};

Server::Running::Running(const ServerConfig& config, std::string_view name, Handler handler,
                         metrics::Registry& registry)
    : name_(name),
      shared_(std::make_shared<Shared>(config, name, std::move(handler), registry)),
      pool_(name_, static_cast<std::size_t>(config.handler_threads),
            static_cast<std::size_t>(config.max_waiting_requests),
            [shared = shared_.get()](Job& job) { shared->Run(job); }),
      workers_(std::make_shared<IoWorkers>()) {
  workers_->shared = shared_;
  workers_->pool = &pool_;
  EnsureDescriptors(config.max_connections);
  try {
    Listen(config, name_);
  } catch (const std::exception& error) {
    throw base::StartupError("cannot listen on " + Endpoint(config) + ": " + error.what());
  }
  accepting_ = std::thread([this] { Accept(name_); });
  AwaitStart();
  if (accept_ended_.load()) {
    accepting_.join();
    throw base::StartupError("cannot start the threads that serve " + Endpoint(config));
  }
  log_.Info("listening", {{"server", name_}, {"host", config.host}, {"port", port()}});
}

void Server::Running::Listen(const ServerConfig& config, const std::string& name) {
  using Pistache::Tcp::Options;
  listener_ = std::make_unique<Pistache::Tcp::Listener>();
  listener_->init(
      static_cast<std::size_t>(config.io_threads),
      Pistache::Flags<Options>(Options::ReuseAddr) | Options::CloseOnExec | Options::NoDelay,
      name + "-io", kBacklog);
  listener_->setTransportFactory(
      [workers = workers_] { return std::make_shared<IoWorker>(workers); });
  const auto before = ListeningSockets();
  const bool bare_ipv6 =
      config.host.find(':') != std::string::npos && !config.host.starts_with('[');
  listener_->bind(Pistache::Address(bare_ipv6 ? "[" + config.host + "]" : config.host,
                                    Pistache::Port(static_cast<std::uint16_t>(config.port))));
  for (const int fd : ListeningSockets()) {
    if (!before.contains(fd)) listening_fd_ = fd;
  }
}

void Server::Running::Accept(const std::string& name) {
  base::NameThisThread((name + "-accept").substr(0, 15).c_str());
  try {
    listener_->run();  // starts the I/O threads, then accepts
  } catch (const std::exception& error) {
    if (!stopping_.load())
      log_.Error("accepts no more connections", {{"server", name_}, {"reason", error.what()}});
  }
  accept_ended_.store(true);
}

void Server::Running::AwaitStart() const {
  for (IoWorker* worker : workers_->all) {
    worker->Nudge();
    while (!worker->running() && !accept_ended_.load())
      std::this_thread::sleep_for(milliseconds(1));
  }
}

void Server::Running::AwaitIdle() const {
  const auto deadline = std::chrono::steady_clock::now() + shared_->config.drain_timeout;
  for (IoWorker* worker : workers_->all) {
    worker->Nudge();
    while (worker->busy() != 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    if (worker->busy() > 0)
      log_.Warn("requests were not answered before the shutdown",
                {{"server", name_}, {"requests", worker->busy()}});
  }
}

Server::Running::~Running() {
  stopping_.store(true);
  if (listening_fd_ >= 0) StopListening(listening_fd_);
  shared_->draining.store(true);
  AwaitIdle();
  listener_->shutdown();
  if (accepting_.joinable()) accepting_.join();
  listener_.reset();  // joins the I/O threads
}

Server::Server(const ServerConfig& config, std::string_view name, Handler handler,
               metrics::Registry& metrics)
    : running_(std::make_unique<Running>(config, name, std::move(handler), metrics)) {}
Server::~Server() = default;

std::uint16_t Server::port() const { return running_->port(); }

}  // namespace heliograph::http
