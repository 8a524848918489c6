#include "dispatch/lease.h"

#include <utility>

#include "base/thread_name.h"
#include "base/uuid.h"

namespace heliograph::dispatch {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRenewEvery = kLease / 5;

// Unique among all that ever were: a name is never used for a second lease.
std::string NewClientId(const std::string& name) {
  return name + "-" + base::NewUuid().substr(0, 8);
}

}  // namespace

Lease::Lease(postgres::DispatchQueue& queue, std::string name, base::Health& health,
             metrics::Registry& metrics)
    : queue_(queue),
      name_(std::move(name)),
      health_(health),
      lost_(metrics.AddCounter("heliograph_dispatch_lost_leases_total",
                               "How often another process took this one's work over.")) {
  Tell("not claimed yet");
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

Lease::~Lease() {
  thread_.request_stop();
  thread_.join();
  const std::string own = client_id();
  if (own.empty()) return;
  if (const base::Status released = queue_.Release(own); !released) {
    log_.Warn("the lease is left to run out", {{"why", released.error().message}});
  }
}

std::string Lease::client_id() const {
  const std::lock_guard lock(mutex_);
  return client_id_;
}

std::string Lease::holder() const {
  const std::lock_guard lock(mutex_);
  return steady_clock::now() < valid_until_ ? client_id_ : std::string();
}

bool Lease::Holds(std::string_view client_id) const {
  const std::lock_guard lock(mutex_);
  return !client_id.empty() && client_id == client_id_ && steady_clock::now() < valid_until_;
}

void Lease::OnLost(std::function<void()> on_lost) {
  const std::lock_guard lock(callback_mutex_);
  on_lost_ = std::move(on_lost);
}

void Lease::Run(const std::stop_token& stop) {
  base::NameThisThread("lease");
  while (!stop.stop_requested()) {
    const auto asked_at = steady_clock::now();
    Renew();
    // An answer that took long is nearly over when it comes.
    const auto wait =
        holder().empty() ? kRenewEvery : kRenewEvery - (steady_clock::now() - asked_at);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, wait, [] { return false; });
  }
}

void Lease::Tell(const std::string& why_not) {
  holder().empty() ? health_.SetNotReady("lease", why_not) : health_.SetReady("lease");
}

void Lease::Hold(const std::string& client_id, base::SteadyTime asked_at) {
  const std::lock_guard lock(mutex_);
  client_id_ = client_id;
  // The database counts from when it had the question, which was later.
  valid_until_ = asked_at + kLease;
  ever_claimed_ = true;
}

base::Result<bool> Lease::RenewAs(const std::string& client_id) {
  const auto asked_at = steady_clock::now();
  auto renewed = queue_.Renew(client_id, kLease);
  if (!renewed) return renewed;
  const std::lock_guard lock(mutex_);
  if (client_id_ != client_id) return *renewed;  // a new one was claimed meanwhile
  if (*renewed) {
    valid_until_ = asked_at + kLease;
    return true;
  }
  client_id_.clear();
  lost_.Add();
  log_.Warn("another process has taken the work over", {{"client_id", client_id}});
  return false;
}

base::Result<std::string> Lease::Claim() {
  if (const std::string own = client_id(); !own.empty()) {
    const auto renewed = RenewAs(own);
    if (!renewed) return renewed.error();
    if (*renewed) return own;
  }
  std::string fresh = NewClientId(name_);
  const auto asked_at = steady_clock::now();
  if (base::Status registered = queue_.Register(fresh, kLease); !registered) {
    return std::move(registered).error();
  }
  Hold(fresh, asked_at);
  Tell("");
  return fresh;
}

void Lease::Renew() {
  if (const std::string own = client_id(); !own.empty()) {
    const auto renewed = RenewAs(own);
    if (!renewed) {
      log_.Warn(renew_line_, "the lease cannot be renewed", {{"why", renewed.error().message}});
    }
    Tell(renewed ? "another process has taken the work over" : renewed.error().message);
  }
  {
    const std::lock_guard lock(mutex_);
    if (!client_id_.empty() || !ever_claimed_) return;
  }
  const std::lock_guard lock(callback_mutex_);
  if (on_lost_) on_lost_();
}

}  // namespace heliograph::dispatch
