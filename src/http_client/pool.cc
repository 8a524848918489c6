#include "http_client/pool.h"

#include <utility>

namespace heliograph::http_client {

std::unique_ptr<Client> Pool::Take() {
  std::unique_lock lock(mutex_);
  const bool mine = given_back_.wait_for(lock, config_.timeout,
                                         [this] { return !idle_.empty() || made_ < most_; });
  if (!mine) return nullptr;
  if (idle_.empty()) {
    auto client = std::make_unique<Client>(config_);
    ++made_;
    return client;
  }
  std::unique_ptr<Client> client = std::move(idle_.back());  // the last used has a warm connection
  idle_.pop_back();
  return client;
}

void Pool::GiveBack(std::unique_ptr<Client> client) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(client));
  given_back_.notify_one();
}

base::Result<Response> Pool::Send(const Request& request) {
  std::unique_ptr<Client> client = Take();
  if (!client) {
    return base::MakeError(base::ErrorCode::kUnavailable, "too many calls wait for " + request.url);
  }
  auto response = client->Send(request);
  GiveBack(std::move(client));
  return response;
}

}  // namespace heliograph::http_client
