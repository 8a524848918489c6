#include "auth/user_authoriser.h"

#include <cstring>
#include <utility>

#include "http_client/url.h"

namespace heliograph::auth {
namespace {

constexpr std::size_t kMostRemembered = 1000;
// A permission of more ids is asked for each time: they would take the memory of thousands of
// others.
constexpr std::size_t kMostIdsRemembered = 100;

metrics::Counter CounterOf(metrics::Registry& metrics, const std::string& result) {
  return metrics.AddCounter("heliograph_auth_user_questions_total",
                            "Questions to the user authorisation service, by what became of them.",
                            {{"result", result}});
}

base::Error Unavailable(const std::string& why) {
  return base::MakeError(base::ErrorCode::kUnavailable, why);
}

}  // namespace

UserAuthorisationConfig::UserAuthorisationConfig() {
  http.connect_timeout = std::chrono::seconds(1);
  http.timeout = std::chrono::seconds(2);
  http.max_response_bytes = 4 * 1024 * 1024;  // 10,000 client ids of the greatest length
}

void UserAuthorisationConfig::Bind(config::Binder& binder) {
  using std::chrono::minutes;
  using std::chrono::seconds;
  binder.String(url, "url",
                "A service that is asked, before an action is accepted, on which of its devices "
                "its user may act: https, or http on this machine; empty = on all of his tenant.");
  binder.SecretFile(token, "token_file", "A bearer token for that service.");
  binder.Duration(remember, "remember_s", {seconds(0), minutes(10)},
                  "How long an answer counts for the same question.");
  binder.Integer(breaker_failures, "breaker_failures", {1, 1000},
                 "After that many failures in a row the service is left alone.");
  binder.Duration(breaker_open, "breaker_open_s", {seconds(1), minutes(10)},
                  "For how long it is left alone; what needs it is answered 503 meanwhile.");
  binder.Integer(max_calls, "max_calls", {1, 1000}, "Questions to it at a time.");
  http.Bind(binder);
  binder.Require(url.empty() || http_client::IsTrustworthy(url),
                 "auth.users.url must be https, or http to localhost");
}

std::size_t UserAuthoriser::HashOfDigest::operator()(const Digest& digest) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));  // it is a hash
  return hash;
}

UserAuthoriser::UserAuthoriser(const UserAuthorisationConfig& config, const base::Clock& clock,
                               metrics::Registry& metrics)
    : config_(config),
      clock_(clock),
      remembered_(CounterOf(metrics, "remembered")),
      answered_(CounterOf(metrics, "answered")),
      failed_(CounterOf(metrics, "failed")),
      not_asked_(CounterOf(metrics, "not_asked")),
      pool_(config.http, static_cast<std::size_t>(config.max_calls)),
      recent_(kMostRemembered),
      breaker_(config.breaker_failures, config.breaker_open) {}

base::Result<std::shared_ptr<const Permission>> UserAuthoriser::Ask(const Question& question) {
  const std::string body = WriteQuestion(question);
  const Digest digest = Sha256(body);
  // From when it is asked: what is revoked while the answer is on its way counts no longer than
  // `remember` either.
  const base::SteadyTime asked_at = clock_.SteadyNow();
  if (auto known = recent_.Find(digest, asked_at)) {
    remembered_.Add();
    return *std::move(known);
  }
  auto answer = CallGuarded(body);
  if (!answer) return std::move(answer).error();
  auto permission = std::make_shared<const Permission>(*std::move(answer));
  if (permission->size() <= kMostIdsRemembered) {
    recent_.Put(digest, permission, asked_at + config_.remember);
  }
  return permission;
}

bool UserAuthoriser::Begin() {
  std::unique_lock lock(mutex_);
  const auto has_room = [this] { return calling_ < config_.max_calls; };
  if (!has_room()) {
    if (waiting_ >= config_.max_calls) return false;
    ++waiting_;
    const bool came = turn_.wait_for(lock, config_.http.timeout, has_room);
    --waiting_;
    if (!came) return false;
  }
  if (!breaker_.MayTry(clock_.SteadyNow())) return false;
  ++calling_;
  return true;
}

void UserAuthoriser::End(Outcome outcome) {
  const std::lock_guard lock(mutex_);
  --calling_;
  if (outcome == Outcome::kAnswered) breaker_.Succeeded();
  if (outcome == Outcome::kFailed) breaker_.Failed(clock_.SteadyNow());
  turn_.notify_one();
}

base::Result<Permission> UserAuthoriser::CallGuarded(const std::string& body) {
  if (!Begin()) {
    not_asked_.Add();
    return Unavailable("the user authorisation service is slow, or did not answer lately");
  }
  Outcome outcome = Outcome::kFailed;
  auto answer = Call(body, outcome);
  End(outcome);
  (answer ? answered_ : failed_).Add();
  if (!answer) {
    log_.Warn(limit_, "a user's rights cannot be asked for", {{"why", answer.error().message}});
  }
  return answer;
}

base::Result<Permission> UserAuthoriser::Call(const std::string& body, Outcome& outcome) {
  http_client::Request request;
  request.method = "POST";
  request.url = config_.url;
  request.headers = {{"content-type", "application/json"}, {"accept", "application/json"}};
  if (!config_.token.empty()) {
    request.headers.emplace_back("authorization", "Bearer " + config_.token.Reveal());
  }
  request.body = body;
  const auto response = pool_.Send(request);
  if (!response) return Unavailable(response.error().message);
  if (http_client::IsAboutTheRequest(response->status)) outcome = Outcome::kRefused;
  // Also of 401 and 403: those tell that we may not ask, and nothing of the user.
  if (response->status != 200) {
    return Unavailable(config_.url + " answers " + std::to_string(response->status));
  }
  auto permission = ReadPermission(response->body);
  if (permission) outcome = Outcome::kAnswered;
  return permission;
}

}  // namespace heliograph::auth
