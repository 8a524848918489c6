#include "owner/question_queue.h"

#include <utility>

namespace heliograph::owner {

bool QuestionQueue::Add(const device::ClientId& client_id, Urgency urgency, Waiter* waiter) {
  auto found = waiters_.find(client_id);
  if (found == waiters_.end()) {
    const bool connects = urgency == Urgency::kConnecting;
    if (waiting() >= (connects ? most_ : most_ / 2)) return false;
    found = waiters_.try_emplace(client_id).first;
    (connects ? connecting_ : background_).push_back(client_id);
  }
  if (waiter != nullptr) {
    found->second.push_back(waiter);
    ++waiter->left;
  }
  return true;
}

std::optional<device::ClientId> QuestionQueue::Take() {
  std::deque<device::ClientId>& order = connecting_.empty() ? background_ : connecting_;
  if (order.empty()) return std::nullopt;
  device::ClientId next = std::move(order.front());
  order.pop_front();
  return next;
}

bool QuestionQueue::End(const device::ClientId& client_id) {
  const auto found = waiters_.find(client_id);
  if (found == waiters_.end()) return false;
  bool done = false;
  for (Waiter* waiter : found->second) done = --waiter->left == 0 || done;
  waiters_.erase(found);
  return done;
}

void QuestionQueue::Forget(const Waiter* waiter, std::span<const device::ClientId> client_ids) {
  for (const device::ClientId& client_id : client_ids) {
    const auto found = waiters_.find(client_id);
    if (found != waiters_.end()) std::erase(found->second, waiter);
  }
}

}  // namespace heliograph::owner
