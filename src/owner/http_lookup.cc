#include "owner/http_lookup.h"

#include <utility>
#include <vector>

#include "base/startup_error.h"
#include "owner/checksum.h"

namespace heliograph::owner {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// About 20 MB where all have long names.
constexpr std::size_t kMostRemembered = 100'000;
constexpr std::size_t kMostQuestions = 20'000;
constexpr milliseconds kFirstFailure{1000};
constexpr milliseconds kLastFailure{60'000};
constexpr milliseconds kTick{250};
// An answer names one tenant; what is longer is none.
constexpr std::int64_t kLongestAnswer = 64 * 1024;
constexpr milliseconds kLongestCall{10'000};

metrics::Counter CounterOf(metrics::Registry& metrics, const std::string& result) {
  return metrics.AddCounter("heliograph_owner_questions_total",
                            "Questions who owns a device, by what became of them.",
                            {{"result", result}});
}

QuestionUrl UrlOf(const HttpConfig& config) {
  auto url = QuestionUrl::Parse(config.url);
  if (!url) throw base::StartupError(url.error().message);
  return *std::move(url);
}

MemoryLimits LimitsOf(const HttpConfig& config) {
  return {kMostRemembered, config.cache, config.retry, config.check, kFirstFailure, kLastFailure};
}

}  // namespace

HttpConfig::HttpConfig() {
  http.connect_timeout = seconds(1);
  http.timeout = seconds(2);
  http.max_response_bytes = kLongestAnswer;
}

void HttpConfig::Bind(config::Binder& binder) {
  using std::chrono::hours;
  using std::chrono::minutes;
  binder.String(url, "url",
                "A service that is asked who owns a device, instead of a rules file: https, or "
                "http on this machine; GET, with {client_id} and, where wanted, {subject} in path "
                "or query.");
  binder.SecretFile(token, "token_file", "A bearer token for that service.");
  binder.Duration(cache, "cache_s", {seconds(1), hours(1)},
                  "How long an owner counts without asking again.");
  binder.Duration(check, "check_s", {seconds(1), hours(24)},
                  "How often all stored devices are asked about again: how late a changed owner "
                  "may be noticed, with cache_s.");
  binder.Duration(retry, "retry_s", {seconds(1), hours(1)},
                  "How soon a device that is nobody's is asked about again; later twice that, and "
                  "so on up to check_s.");
  binder.Duration(wait, "wait_ms", {milliseconds(0), seconds(2)},
                  "How long a batch with new devices waits for answers, at most; a tenth of the "
                  "time at most. What is not known by then is stored without an owner, and gets it "
                  "later.");
  binder.Integer(max_calls, "max_calls", {1, 100}, "Questions to it at a time, a thread each.");
  binder.Integer(breaker_failures, "breaker_failures", {1, 1000},
                 "After that many failures in a row the service is left alone.");
  binder.Duration(breaker_open, "breaker_open_s", {seconds(1), minutes(10)},
                  "For how long it is left alone; known owners stay meanwhile.");
  http.Bind(binder);
  if (url.empty()) return;
  const auto parsed = QuestionUrl::Parse(url);
  binder.Require(parsed.has_value(), parsed ? "" : parsed.error().message);
  binder.Require(cache <= check, "owners.http.cache_s must be at most check_s");
  binder.Require(retry <= check, "owners.http.retry_s must be at most check_s");
  // The end of the process waits for calls.
  binder.Require(http.timeout <= kLongestCall, "owners.http.timeout_ms must be at most 10000");
}

HttpLookup::Counters::Counters(metrics::Registry& metrics)
    : remembered(CounterOf(metrics, "remembered")),
      owned(CounterOf(metrics, "owned")),
      nobody(CounterOf(metrics, "nobody")),
      refused(CounterOf(metrics, "refused")),
      wrong(CounterOf(metrics, "wrong")),
      unanswered(CounterOf(metrics, "unanswered")) {}

const metrics::Counter& HttpLookup::Counters::Of(Reply::Kind kind) const {
  switch (kind) {
    case Reply::Kind::kOwned:
      return owned;
    case Reply::Kind::kNobody:
      return nobody;
    case Reply::Kind::kRefused:
      return refused;
    case Reply::Kind::kWrong:
      return wrong;
    case Reply::Kind::kUnanswered:
      break;
  }
  return unanswered;
}

HttpLookup::HttpLookup(const HttpConfig& config, const base::Clock& clock,
                       metrics::Registry& metrics)
    : config_(config),
      clock_(clock),
      url_(UrlOf(config)),
      revision_("http " + Checksum(config.url) + " "),
      counters_(metrics),
      good_(metrics.AddGauge("heliograph_owner_service_good",
                             "1 while the service that knows owners answers; 0: it is left alone, "
                             "and known owners stay.")),
      waiting_(metrics.AddGauge("heliograph_owner_questions_waiting",
                                "Devices that the service is to be asked about.")),
      seconds_(metrics.AddHistogram("heliograph_owner_question_seconds",
                                    "How long the service takes for a question.",
                                    metrics::LatencyBuckets())),
      memory_(LimitsOf(config)),
      questions_(kMostQuestions),
      breaker_(config.breaker_failures, config.breaker_open),
      patience_(config.wait) {
  good_.Set(1);
}

std::string HttpLookup::Revision() const {
  return revision_ + std::to_string(clock_.Now().time_since_epoch() / config_.check);
}

Condition HttpLookup::condition() const {
  const std::lock_guard lock(mutex_);
  if (!breaker_.is_open()) return {};
  return {"the service that knows owners fails, and known ones stay: " + trouble_, true};
}

std::vector<Answer> HttpLookup::Resolve(std::span<const device::ClientId> client_ids,
                                        Urgency urgency) {
  std::vector<Answer> answers(client_ids.size());
  std::vector<std::size_t> open;
  std::vector<device::ClientId> asked;
  std::unique_lock lock(mutex_);
  QuestionQueue::Waiter waiter;
  const bool waits = urgency == Urgency::kConnecting && !breaker_.is_open();
  auto now = clock_.SteadyNow();
  for (std::size_t i = 0; i < client_ids.size(); ++i) {
    if (auto known = memory_.Find(client_ids[i], now)) {
      answers[i] = *std::move(known);
      counters_.remembered.Add();
    } else if (questions_.Add(client_ids[i], urgency, waits ? &waiter : nullptr)) {
      open.push_back(i);
      asked.push_back(client_ids[i]);
    }
  }
  waiting_.Set(static_cast<double>(questions_.waiting()));
  if (!open.empty()) asked_.notify_all();
  if (!waits || open.empty()) return answers;
  Wait(lock, waiter);
  questions_.Forget(&waiter, asked);
  now = clock_.SteadyNow();
  for (const std::size_t i : open) {
    if (auto known = memory_.Find(client_ids[i], now)) answers[i] = *std::move(known);
  }
  return answers;
}

void HttpLookup::Wait(std::unique_lock<std::mutex>& lock, const QuestionQueue::Waiter& waiter) {
  const auto begin = clock_.SteadyNow();
  answered_.wait_for(lock, patience_.Left(begin),
                     [&] { return waiter.left == 0 || breaker_.is_open(); });
  patience_.Spend(clock_.SteadyNow() - begin);
}

std::optional<device::ClientId> HttpLookup::TakeQuestion(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!questions_.empty() && breaker_.MayTry(clock_.SteadyNow())) {
      auto next = questions_.Take();
      waiting_.Set(static_cast<double>(questions_.waiting()));
      return next;
    }
    // While the service is left alone, nobody tells when that is over.
    asked_.wait_for(lock, stop, kTick,
                    [this] { return !questions_.empty() && !breaker_.is_open(); });
  }
  return std::nullopt;
}

void HttpLookup::Serve(const std::stop_token& stop) {
  http_client::Client client(config_.http);
  while (const auto client_id = TakeQuestion(stop)) Take(*client_id, Ask(client, *client_id));
}

Reply HttpLookup::Ask(http_client::Client& client, const device::ClientId& client_id) const {
  auto url = url_.For(client_id);
  if (!url) return {.kind = Reply::Kind::kRefused, .why = url.error().message};
  http_client::Request request;
  request.url = *std::move(url);
  request.headers = {{"accept", "application/json"}};
  if (!config_.token.empty()) {
    request.headers.emplace_back("authorization", "Bearer " + config_.token.Reveal());
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto response = client.Send(request);
  seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  if (!response) return {.kind = Reply::Kind::kUnanswered, .why = response.error().message};
  return ReadReply(response->status, response->body);
}

void HttpLookup::Take(const device::ClientId& client_id, const Reply& reply) {
  bool lost = false;
  bool back = false;
  counters_.Of(reply.kind).Add();
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.SteadyNow();
    const bool was_open = breaker_.is_open();
    if (reply.told()) {
      breaker_.Succeeded();
    } else if (reply.kind != Reply::Kind::kRefused) {
      trouble_ = reply.why;
      breaker_.Failed(now);
    }
    lost = breaker_.is_open() && !was_open;
    back = was_open && !breaker_.is_open();
    good_.Set(breaker_.is_open() ? 0 : 1);
    memory_.Put(client_id, reply, now);
    if (questions_.End(client_id) || lost) answered_.notify_all();
    if (back) asked_.notify_all();
  }
  Tell(client_id, reply, lost, back);
}

void HttpLookup::Tell(const device::ClientId& client_id, const Reply& reply, bool lost, bool back) {
  if (back) log_.Info("the service that knows owners answers again");
  if (lost) {
    log_.Error("the service that knows owners fails, and is left alone; known owners stay",
               {{"why", reply.why}});
  } else if (!reply.told()) {
    log_.Warn(limit_, "an owner is not known, and asked for again",
              {{"client_id", client_id.view()}, {"why", reply.why}});
  }
}

}  // namespace heliograph::owner
