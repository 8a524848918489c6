#include "ingest/canary.h"

namespace heliograph::ingest {
namespace {

// Often until the first comes back, then as a sign of life.
constexpr std::chrono::seconds kFirstInterval{1};
constexpr std::chrono::seconds kInterval{5};
// Two canaries and a little.
constexpr std::chrono::seconds kSilence{12};

}  // namespace

void Canary::Begin(const std::string& connection_id) {
  connection_id_ = connection_id;
  sent_ = 0;
  next_ = {};
  heard_at_.reset();
}

bool Canary::End() {
  const bool was_connected = !connection_id_.empty();
  connection_id_.clear();
  return was_connected;
}

std::optional<std::string> Canary::Due(base::SteadyTime now) {
  if (connection_id_.empty() || now < next_) return std::nullopt;
  next_ = now + (heard_at_ ? kInterval : kFirstInterval);
  return process_ + connection_id_ + ":" + std::to_string(++sent_);
}

bool Canary::Came(std::string_view payload, base::SteadyTime now) {
  if (connection_id_.empty() || !payload.starts_with(process_ + connection_id_ + ":")) return false;
  return MessageCame(now);
}

void Canary::Excuse(base::SteadyTime now) {
  if (heard_at_) heard_at_ = now;
}

std::string Canary::problem(base::SteadyTime now) const {
  if (connection_id_.empty()) return "not subscribed";
  if (!heard_at_) return "subscribed, but no message has come yet, not even our own canary";
  if (now - *heard_at_ > kSilence) return "our own canary does not come back";
  return "";
}

}  // namespace heliograph::ingest
