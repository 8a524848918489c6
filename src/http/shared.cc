#include "http/shared.h"

#include <utility>

#include "base/uuid.h"
#include "http/guarded.h"
#include "http/response_writer.h"
#include "log/log.h"

namespace heliograph::http {
namespace {

constexpr std::chrono::seconds kLingerTimeout{2};

ConnectionLimits LimitsOf(const ServerConfig& config) {
  ConnectionLimits limits;
  limits.parser.header_bytes = static_cast<std::size_t>(config.max_header_bytes);
  limits.parser.body_bytes = static_cast<std::size_t>(config.max_body_bytes);
  limits.request_timeout = config.request_timeout;
  limits.idle_timeout = config.idle_timeout;
  limits.send_timeout = config.send_timeout;
  limits.linger_timeout = kLingerTimeout;
  limits.stream_heartbeat = config.stream_heartbeat;
  return limits;
}

Response Overloaded() {
  Response response =
      Problem(503, "overloaded", "Overloaded", "Too many requests wait already; try again soon");
  response.headers.emplace_back("retry-after", "1");
  return response;
}

Response TooManyStreams() {
  Response response = Problem(503, "too-many-streams", "Too many streams",
                              "This service has as many open streams as it takes; try again soon");
  response.headers.emplace_back("retry-after", "5");
  return response;
}

Response StreamGivenTwice() {
  log::Logger("http").Error("a handler answered with a stream that another request has");
  return Problem(500, "internal", "Internal error", "The request id names it in the service's log");
}

void Replace(Response& response, Response problem) {
  problem.matched_template = std::move(response.matched_template);
  response = std::move(problem);
}

std::string RequestIdOf(const Request& request) {
  const auto given = request.Header("x-request-id");
  return given && IsSaneRequestId(*given) ? std::string(*given) : base::NewUuid();
}

}  // namespace

Shared::Shared(const ServerConfig& server_config, std::string_view name, Handler handler,
               metrics::Registry& registry)
    : config(server_config),
      limits(LimitsOf(server_config)),
      metrics(registry, name),
      streams(metrics, server_config.max_streams),
      handler_(std::move(handler)) {}

Response Shared::Handle(const Job& job) const {
  if (std::chrono::steady_clock::now() - job.received > config.request_timeout) return Overloaded();
  return CallGuarded(handler_, job.parsed.request);
}

std::unique_ptr<OutgoingStream> Shared::OpenStream(Response& response,
                                                   const ParsedRequest& parsed) {
  const std::shared_ptr<EventStream> stream = response.stream;
  if (!stream) return nullptr;
  if (response.status != 200) response.stream.reset();
  if (parsed.head || response.status != 200) {
    OutgoingStream::Refuse(*stream);
    return nullptr;
  }
  if (!streams.TryBegin()) {
    OutgoingStream::Refuse(*stream);
    metrics.Rejected("too-many-streams");
    Replace(response, TooManyStreams());
    return nullptr;
  }
  auto outgoing = OutgoingStream::Attach(
      stream, streams, static_cast<std::size_t>(config.max_stream_bytes), !parsed.http_1_0);
  if (!outgoing) {
    streams.Ended(StreamEnd::kNotStarted);
    Replace(response, StreamGivenTwice());
  }
  return outgoing;
}

void Shared::Run(Job& job) {
  Request& request = job.parsed.request;
  request.request_id = RequestIdOf(request);
  Response response = Handle(job);
  std::unique_ptr<OutgoingStream> stream = OpenStream(response, job.parsed);
  const bool ends_itself = !stream || !job.parsed.http_1_0;  // not by the end of the connection
  const bool keep_alive = job.parsed.keep_alive && ends_itself && !draining.load();
  const AnswerFrame frame{job.parsed.head, job.parsed.http_1_0, keep_alive, request.request_id};
  std::string bytes = WriteAnswer(response, frame);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - job.received;
  const std::string_view method = job.parsed.head ? "HEAD" : std::string_view(request.method);
  metrics.Answered(method, response.matched_template, response.status, took);
  job.reply_to->Post({job.connection, std::move(bytes), !keep_alive, std::move(stream)});
  log::Logger("http").Debug("answered", {{"method", method},
                                         {"path", request.path},
                                         {"status", response.status},
                                         {"ms", took.count() * 1000},
                                         {"bytes", response.body.size()},
                                         {"from", request.remote_address},
                                         {"request_id", request.request_id}});
}

std::string Shared::WriteOverloaded(const ParsedRequest& parsed) {
  metrics.Rejected("overloaded");
  const std::string id = RequestIdOf(parsed.request);
  return WriteAnswer(Overloaded(),
                     {parsed.head, parsed.http_1_0, parsed.keep_alive && !draining.load(), id});
}

}  // namespace heliograph::http
