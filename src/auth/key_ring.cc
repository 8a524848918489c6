#include "auth/key_ring.h"

#include <optional>
#include <utility>

#include "base/startup_error.h"
#include "http_client/url.h"

namespace heliograph::auth {
namespace {

using std::chrono::milliseconds;
using FoundKey = base::Result<std::shared_ptr<const PublicKey>>;

constexpr std::size_t kMostWaiting = 8;
constexpr milliseconds kLookAtFile{1000};
constexpr milliseconds kTick{500};
constexpr const char* kDependency = "keys";

std::unique_ptr<KeySource> SourceOf(const KeysConfig& config) {
  if (!config.file.empty()) return std::make_unique<KeyFile>(config.file);
  return std::make_unique<KeyUrl>(config.url, config.http);
}

// A file costs nothing to read, and whoever changes it waits for it to count.
RefreshSchedule ScheduleOf(const KeysConfig& config) {
  if (!config.file.empty()) return {kLookAtFile, kLookAtFile};
  return {config.refresh, config.least_interval};
}

base::Error Unavailable() {
  return base::MakeError(base::ErrorCode::kUnavailable,
                         "the identity provider's keys cannot be read");
}

}  // namespace

KeysConfig::KeysConfig() {
  http.connect_timeout = std::chrono::seconds(2);
  http.timeout = std::chrono::seconds(5);
  http.max_response_bytes = 1024 * 1024;
}

void KeysConfig::Bind(config::Binder& binder) {
  using std::chrono::hours;
  using std::chrono::seconds;
  binder.String(file, "file",
                "A file with the issuer's keys, a JSON Web Key Set. Read again when it changes.");
  binder.String(url, "url",
                "Where the issuer publishes its keys (`jwks_uri`), instead of a file: https, or "
                "http on this machine.");
  binder.Duration(refresh, "refresh_s", {seconds(1), hours(24)},
                  "How often the URL is asked when all is well: how long a key counts that the "
                  "issuer has withdrawn.");
  binder.Duration(least_interval, "least_interval_s", {seconds(1), hours(1)},
                  "The URL is not asked more often than this, whatever keys tokens name.");
  http.Bind(binder);
  binder.Require(url.empty() || http_client::IsTrustworthy(url),
                 "auth.jwt.keys.url must be https, or http to localhost");
  binder.Require(file.empty() || url.empty(), "auth.jwt.keys: file and url exclude each other");
}

KeyRing::KeyRing(const KeysConfig& config, const base::Clock& clock, base::Health& health,
                 metrics::Registry& metrics)
    : clock_(clock),
      health_(health),
      longest_wait_(config.http.timeout + kTick),
      source_(SourceOf(config)),
      good_(metrics.AddGauge("heliograph_auth_keys_good",
                             "1 while the issuer's keys can be read; 0: older ones count, if "
                             "there are any.")),
      count_(metrics.AddGauge("heliograph_auth_keys", "Keys of the issuer that count.")),
      failures_(metrics.AddCounter("heliograph_auth_keys_failures_total",
                                   "Times that the issuer's keys could not be read.")),
      reads_(metrics.AddCounter("heliograph_auth_keys_reads_total",
                                "Times that the issuer's keys were asked for.")),
      schedule_(ScheduleOf(config)) {
  health_.SetNotReady(kDependency, "the issuer's keys were not read yet");
  if (config.file.empty()) return;
  if (base::Status read = Refresh(); !read) {
    throw base::StartupError("the issuer's keys in '" + config.file +
                             "' cannot be used: " + read.error().message);
  }
  schedule_.Ended(clock_.SteadyNow(), true);
}

base::Status KeyRing::Refresh() {
  reads_.Add();
  base::Status taken = Take(source_->Read());
  good_.Set(taken ? 1 : 0);
  if (taken) {
    health_.SetReady(kDependency);
    return taken;
  }
  failures_.Add();
  if (text_.empty()) health_.SetNotReady(kDependency, taken.error().message);
  return taken;
}

// Compares the text as it is: whatever changed in it, tokens are verified anew.
base::Status KeyRing::Take(const base::Result<std::string>& text) {
  if (!text) return text.error();
  if (!text_.empty() && *text == text_) return {};
  auto keys = KeySet::Parse(*text);
  if (!keys) return std::move(keys).error();
  log_.Info("the issuer's keys read", {{"keys", keys->size()}});
  for (const std::string& each : keys->passed_over()) {
    log_.Info("a key of the issuer is passed over", {{"key", each}});
  }
  text_ = *text;
  count_.Set(static_cast<double>(keys->size()));
  const std::lock_guard lock(mutex_);
  keys_ = std::make_shared<const KeySet>(*std::move(keys));
  ++revision_;
  return {};
}

void KeyRing::Keep(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = clock_.SteadyNow();
    if (schedule_.IsDue(now) || (wanted_ && schedule_.MayAsk(now))) {
      lock.unlock();
      const base::Status read = Refresh();
      if (!read) {
        log_.Error(limit_, "the issuer's keys cannot be read, those before count",
                   {{"why", read.error().message}});
      }
      lock.lock();
      schedule_.Ended(clock_.SteadyNow(), read.has_value());
      wanted_ = false;
      ++attempts_;
      attempt_ended_.notify_all();
    }
    wanted_changed_.wait_for(lock, stop, kTick, [this] { return wanted_; });
  }
  ended_ = true;
  attempt_ended_.notify_all();
}

std::optional<FoundKey> KeyRing::Look(const std::string& id, Algorithm algorithm) const {
  if (!keys_ || !keys_->Has(id)) return std::nullopt;
  const PublicKey* key = keys_->Find(id, algorithm);
  if (key != nullptr) return FoundKey(std::shared_ptr<const PublicKey>(keys_, key));
  return FoundKey(base::MakeError(base::ErrorCode::kUnauthenticated,
                                  "the token's key is for another algorithm"));
}

FoundKey KeyRing::Find(const std::string& id, Algorithm algorithm) {
  std::unique_lock lock(mutex_);
  if (auto found = Look(id, algorithm)) return *std::move(found);
  if (schedule_.MayAsk(clock_.SteadyNow())) {
    if (ended_ || waiting_ >= kMostWaiting) return Unavailable();
    wanted_ = true;
    wanted_changed_.notify_one();
    ++waiting_;
    const std::uint64_t before = attempts_;
    const bool told =
        attempt_ended_.wait_for(lock, longest_wait_, [&] { return ended_ || attempts_ != before; });
    --waiting_;
    if (auto found = Look(id, algorithm)) return *std::move(found);
    if (!told || ended_) return Unavailable();
  }
  if (!schedule_.succeeded()) return Unavailable();
  return base::MakeError(base::ErrorCode::kUnauthenticated, "the token's key is not known");
}

std::uint64_t KeyRing::revision() const {
  const std::lock_guard lock(mutex_);
  return revision_;
}

}  // namespace heliograph::auth
