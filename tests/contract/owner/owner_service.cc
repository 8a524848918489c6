#include "contract/owner/owner_service.h"

#include <algorithm>
#include <utility>

namespace heliograph::owner {
namespace {

constexpr std::string_view kPath = "/owners/";

http::ServerConfig Settings() {
  http::ServerConfig config;
  config.port = 0;
  config.handler_threads = 32;
  config.drain_timeout = std::chrono::milliseconds(500);
  return config;
}

}  // namespace

OwnerService::OwnerService(Owners owners)
    : owners_(std::move(owners)),
      server_(
          Settings(), "owner-service",
          [this](const http::Request& request) { return Handle(request); }, metrics_) {}

OwnerService::~OwnerService() { Release(); }

std::string OwnerService::url() const {
  return "http://127.0.0.1:" + std::to_string(server_.port()) +
         "/owners/{client_id}?subject={subject}";
}

void OwnerService::Change(Owners owners) {
  const std::lock_guard lock(mutex_);
  owners_ = std::move(owners);
}

void OwnerService::Answer(std::function<http::Response()> answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

void OwnerService::Hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void OwnerService::Release() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  released_.notify_all();
}

std::vector<http::Request> OwnerService::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t OwnerService::most_at_a_time() const {
  const std::lock_guard lock(mutex_);
  return most_;
}

http::Response OwnerService::Handle(const http::Request& request) {
  std::unique_lock lock(mutex_);
  requests_.push_back(request);
  most_ = std::max(most_, ++asking_);
  released_.wait(lock, [this] { return !held_; });
  --asking_;
  return AnswerFor(request);
}

http::Response OwnerService::AnswerFor(const http::Request& request) const {
  if (answer_) return answer_();
  http::Response response;
  const auto found = request.path.starts_with(kPath)
                         ? owners_.find(device::ClientId(request.path.substr(kPath.size())))
                         : owners_.end();
  if (found == owners_.end()) {
    response.status = 404;
  } else {
    response.body = "{\"tenant\":" + http::JsonString(found->second.view()) + "}";
  }
  return response;
}

}  // namespace heliograph::owner
