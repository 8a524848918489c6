#include "contract/http/stream_server.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace heliograph::http::testing {
namespace {

StreamCallbacks Tell(const std::shared_ptr<Told>& told) {
  return {.on_end =
              [told](StreamEnd end) {
                told->end.store(end);
                told->ends.fetch_add(1);
              },
          .on_drained = [told] { told->drained.fetch_add(1); }};
}

}  // namespace

std::string Page(int number) {
  std::string page = std::to_string(number) + "\n";
  return page + std::string(1000 - page.size(), 'p');
}

StreamServer::StreamServer(const ServerConfig& config) {
  router_.Add("GET", "/stream", [this](const Request& request) {
    const TestStream made = Make();
    if (const auto first = request.Query("first")) made.Push(std::string(*first));
    return StreamResponse(made.stream);
  });
  router_.Add("GET", "/held", [this](const Request&) {
    held_.fetch_add(1);
    EXPECT_TRUE(Eventually([this] { return released_.load(); }));
    return StreamResponse(Make().stream);
  });
  router_.Add("GET", "/again", [this](const Request&) { return StreamResponse(stream(0).stream); });
  router_.Add("GET", "/created", [this](const Request&) {
    Response response = StreamResponse(Make().stream);
    response.status = 201;
    return response;
  });
  router_.Add("GET", "/pages", [this](const Request& request) { return Pages(request); });
  router_.Add("GET", "/tiny", [](const Request&) {
    Response response;
    response.body = "tiny";
    return response;
  });
  server_ = std::make_unique<Server>(
      config, "test", [this](const Request& request) { return router_.Route(request); }, registry_);
}

StreamServer::~StreamServer() {
  Release();
  Stop();
}

TestStream StreamServer::Make() {
  auto told = std::make_shared<Told>();
  TestStream made{std::make_shared<EventStream>(Tell(told)), told};
  const std::lock_guard lock(mutex_);
  streams_.push_back(made);
  return made;
}

Response StreamServer::Pages(const Request& request) {
  // The stream owns its callbacks, so they must not own it.
  struct Reader {
    std::weak_ptr<EventStream> stream;
    int next = 0;
    int count = 0;
  };
  auto reader = std::make_shared<Reader>();
  reader->count = std::atoi(std::string(request.Query("count").value_or("0")).c_str());
  auto told = std::make_shared<Told>();
  StreamCallbacks callbacks = Tell(told);
  callbacks.on_drained = [reader] {
    const auto stream = reader->stream.lock();
    if (reader->next == reader->count) return stream->Close();
    EXPECT_TRUE(stream->Push(StreamText(Page(reader->next++))));
  };
  TestStream made{std::make_shared<EventStream>(std::move(callbacks)), told};
  reader->stream = made.stream;
  const std::lock_guard lock(mutex_);
  streams_.push_back(made);
  return StreamResponse(made.stream);
}

TestStream StreamServer::stream(std::size_t number) const {
  const std::lock_guard lock(mutex_);
  return streams_.at(number);
}

std::size_t StreamServer::streams() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

double StreamServer::Metric(const std::string& name) const {
  const std::string series = "\n" + name + "{server=\"test\"} ";
  const std::string all = registry_.Exposition();
  const auto at = all.find(series);
  return at == std::string::npos ? -1 : std::atof(all.c_str() + at + series.size());
}

std::unique_ptr<RawClient> OpenStream(const StreamServer& server, int receive_buffer) {
  auto client = std::make_unique<RawClient>(server.port(), receive_buffer);
  client->Send(Get("/stream"));
  const auto head = client->ReadAnswer();
  EXPECT_TRUE(head && head->status == 200);
  return client;
}

}  // namespace heliograph::http::testing
