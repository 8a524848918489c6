#include "webhooks/courier.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/startup_error.h"
#include "base/thread_name.h"
#include "base/uuid.h"
#include "webhooks/secret.h"

namespace heliograph::webhooks {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Another process takes over within the sum of the two.
constexpr milliseconds kLease{4000};
constexpr milliseconds kRenewEvery{1000};
constexpr std::int64_t kMostHeld = 10'000;
constexpr milliseconds kLookEvery{50};
constexpr milliseconds kAgainAfter{500};
constexpr seconds kSavePassedEvery{10};
constexpr std::size_t kMostPages = 16;  // of one turn: requests under way wait for them
constexpr std::int64_t kMostResponseBytes = 16 * 1024;
constexpr double kTenantsShare = 0.25;
constexpr double kFailingShare = 0.5;

http_client::ClientConfig ClientConfigOf(const Config& config, const UrlRules& rules) {
  http_client::ClientConfig client;
  client.connect_timeout = config.connect_timeout;
  client.timeout = config.timeout;
  client.max_response_bytes = kMostResponseBytes;
  client.ca_file = config.ca_file;
  client.addresses = std::make_shared<const http_client::AddressPolicy>(rules.addresses);
  client.cut_long_answers = true;
  return client;
}

UrlRules RulesOrThrow(const Config& config) {
  auto rules = RulesOf(config);
  if (!rules) throw base::StartupError(rules.error().message);
  return *std::move(rules);
}

std::string TenantName(const Receiver& receiver) {
  return receiver.webhook.tenant ? receiver.webhook.tenant->str() : "";
}

}  // namespace

base::Result<UrlRules> RulesOf(const Config& config) {
  auto addresses = http_client::AddressPolicy::Parse(config.allowed_networks);
  if (!addresses) return std::move(addresses).error();
  return UrlRules{config.allow_http, *std::move(addresses)};
}

Courier::Meters::Meters(metrics::Registry& metrics)
    : events(metrics.AddCounter("heliograph_webhooks_events_total",
                                "Events that receivers of webhooks have taken.")),
      delivered(metrics.AddCounter("heliograph_webhooks_requests_total",
                                   "Requests to receivers of webhooks.",
                                   {{"outcome", "delivered"}})),
      failed(metrics.AddCounter("heliograph_webhooks_requests_total",
                                "Requests to receivers of webhooks.", {{"outcome", "failed"}})),
      disabled(metrics.AddCounter("heliograph_webhooks_disabled_total",
                                  "Webhooks that were disabled since they failed for too long.")),
      resets(metrics.AddCounter(
          "heliograph_webhooks_resets_total",
          "How often a receiver was to be told that events were forgotten before it took them.")),
      held(metrics.AddGauge("heliograph_webhooks_held", "Webhooks that this process delivers to.")),
      failing(metrics.AddGauge("heliograph_webhooks_failing",
                               "Those of them whose last request has failed.")),
      behind(metrics.AddGauge(
          "heliograph_webhooks_behind_seconds",
          "The age of the oldest event that one of them has still to be told of.")) {}

Courier::Courier(const Config& config, postgres::WebhookLeases& leases, events::EventReader& reader,
                 const base::Clock& clock, metrics::Registry& metrics)
    : config_(config),
      rules_(RulesOrThrow(config)),
      leases_(leases),
      clock_(clock),
      owner_(base::NewUuid()),
      meters_(metrics),
      window_(reader),
      transfers_(ClientConfigOf(config, rules_), static_cast<std::size_t>(config.max_connections)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

Courier::~Courier() = default;

void Courier::Wake() noexcept {
  renew_now_ = true;
  transfers_.Wake();
}

void Courier::Run(const std::stop_token& stop) {
  base::NameThisThread("webhooks");
  const std::stop_callback wake(stop, [this] { transfers_.Wake(); });
  while (!stop.stop_requested()) {
    const bool more = Turn();
    transfers_.Run(more ? milliseconds(0) : receivers_.empty() ? kRenewEvery : kLookEvery);
  }
  SavePassed();
  if (!receivers_.empty()) {
    const base::Status released = leases_.Release(owner_);
    if (!released)
      log_.Warn("webhooks wait for another process", {{"why", released.error().message}});
  }
}

bool Courier::Turn() {
  const auto now = clock_.SteadyNow();
  if (renew_now_.exchange(false) || now >= renew_at_) Renew();
  if (receivers_.empty()) {
    window_.Close();
    return false;
  }
  bool more = false;
  if (now >= look_at_) {
    const auto read = window_.Read(WantedByAll());
    if (!read) {
      log_.Warn(database_limit_, "webhooks wait for the database", {{"why", read.error().message}});
    }
    more = read && *read;
    look_at_ = now + (!read ? kAgainAfter : more ? milliseconds(0) : kLookEvery);
  }
  if (now >= save_at_) SavePassed();
  std::vector<std::int64_t> pages;
  for (auto at = receivers_.begin(); at != receivers_.end();) {
    Receiver& receiver = (at++)->second;  // it may be erased
    if (Serve(receiver)) pages.push_back(receiver.webhook.claim.id);
  }
  // In turns, beginning where the last turn ended.
  std::rotate(pages.begin(), std::upper_bound(pages.begin(), pages.end(), next_page_of_),
              pages.end());
  if (pages.size() > kMostPages) {
    more = true;
    pages.resize(kMostPages);
  }
  for (const std::int64_t id : pages) {
    next_page_of_ = id;
    more = ServePage(receivers_.at(id)) || more;
  }
  return more;
}

events::Wanted Courier::WantedByAll() const {
  events::Wanted all;
  for (const auto& [id, receiver] : receivers_) all.Add(events::Wanted::Of(receiver.filter));
  return all;
}

void Courier::Renew() {
  const auto now = clock_.SteadyNow();
  renew_at_ = now + kRenewEvery;
  auto claimed = leases_.Claim(owner_, kLease, kMostHeld);
  if (!claimed) {
    log_.Warn(database_limit_, "webhooks wait for the database",
              {{"why", claimed.error().message}});
    return;
  }
  lease_ends_ = now + kLease;
  Adopt(*std::move(claimed));
  Report();
}

void Courier::Adopt(std::vector<postgres::ClaimedWebhook> claimed) {
  const auto now = clock_.SteadyNow();
  std::set<std::int64_t> mine;
  for (postgres::ClaimedWebhook& each : claimed) {
    const std::int64_t id = each.claim.id;
    mine.insert(id);
    const auto at = receivers_.find(id);
    if (at != receivers_.end() && at->second.webhook.claim.epoch == each.claim.epoch) {
      at->second.Update(std::move(each), now);
    } else if (at == receivers_.end() || !at->second.in_flight) {
      receivers_.erase(id);
      receivers_.emplace(id, Receiver(std::move(each), now));
    } else {
      at->second.gone = true;  // it was another's meanwhile; taken up anew after its answer
    }
  }
  for (auto& [id, receiver] : receivers_) receiver.gone = receiver.gone || !mine.contains(id);
  std::erase_if(receivers_,
                [](const auto& each) { return each.second.gone && !each.second.in_flight; });
}

void Courier::Report() {
  const base::Timestamp now = clock_.Now();
  std::int64_t failing = 0;
  double behind = 0;
  for (const auto& [id, receiver] : receivers_) {
    failing += receiver.webhook.failures > 0 ? 1 : 0;
    if (!receiver.waiting_since || !receiver.webhook.active) continue;
    behind = std::max(behind, std::chrono::duration<double>(now - *receiver.waiting_since).count());
  }
  meters_.held.Set(static_cast<double>(receivers_.size()));
  meters_.failing.Set(static_cast<double>(failing));
  meters_.behind.Set(behind);
}

// Where nothing was wanted for long, or the log would be forgotten behind its back.
void Courier::SavePassed() {
  save_at_ = clock_.SteadyNow() + kSavePassedEvery;
  std::vector<postgres::PassedPlace> places;
  std::vector<Receiver*> passed;
  for (auto& [id, receiver] : receivers_) {
    if (receiver.gone || receiver.in_flight || receiver.unsaved ||
        receiver.place == receiver.saved) {
      continue;
    }
    places.push_back({receiver.webhook.claim, events::WritePlace(receiver.place)});
    passed.push_back(&receiver);
  }
  if (!leases_.Passed(places)) return;  // the next time
  for (Receiver* receiver : passed) receiver->saved = receiver->place;
}

// Those that fail, and those of one tenant, leave connections to the others.
bool Courier::MayStart(const Receiver& receiver) const {
  const auto most = static_cast<double>(config_.max_connections);
  const auto of_tenant = under_way_.find(TenantName(receiver));
  if (clock_.SteadyNow() >= lease_ends_) return false;
  if (static_cast<double>(transfers_.under_way()) >= most) return false;
  if (of_tenant != under_way_.end() &&
      static_cast<double>(of_tenant->second) >= most * kTenantsShare) {
    return false;
  }
  return receiver.webhook.failures == 0 ||
         static_cast<double>(failing_under_way_) < most * kFailingShare;
}

// Whether it has to read a page for itself.
bool Courier::Serve(Receiver& receiver) {
  if (receiver.in_flight || receiver.gone) return false;
  const bool is_due = clock_.SteadyNow() >= receiver.next_try;
  if (receiver.unsaved) {
    if (is_due) Save(receiver);
    return false;
  }
  if (!MayStart(receiver)) return false;
  if (receiver.WantsPing()) {
    ShipPing(receiver);
    return false;
  }
  if (!is_due || !receiver.webhook.active) return false;
  if (!window_.Covers(receiver.place, events::Wanted::Of(receiver.filter))) return true;
  Shipment shipment{Batch(static_cast<std::size_t>(config_.max_batch_events)), receiver.place};
  bool full = false;
  for (auto at = window_.After(receiver.place); at != window_.end() && !full; ++at) {
    Fill(receiver, *at, shipment, full);
  }
  if (!full) shipment.up_to = std::max(receiver.place, window_.last());
  Ship(receiver, std::move(shipment));
  return false;
}

// Whether there is more of it to read at once.
bool Courier::ServePage(Receiver& receiver) {
  auto page = window_.ReadPage(receiver.place, events::Wanted::Of(receiver.filter));
  if (!page) {
    log_.Warn(database_limit_, "webhooks wait for the database", {{"why", page.error().message}});
    receiver.next_try = clock_.SteadyNow() + kAgainAfter;
    return false;
  }
  Shipment shipment{Batch(static_cast<std::size_t>(config_.max_batch_events)), receiver.place};
  if (page->missing_up_to) {
    const std::string after = events::WritePlace(receiver.place);
    const std::string up_to = events::WritePlace(*page->missing_up_to);
    const base::Timestamp now = clock_.Now();
    shipment.batch.Add("reset." + up_to, now,
                       WriteReset("reset." + up_to, receiver.webhook.name, now, after, up_to));
    shipment.up_to = *page->missing_up_to;
    meters_.resets.Add();
  }
  bool full = false;
  for (LogEntry& entry : page->entries) {
    if (full) break;
    Fill(receiver, entry, shipment, full);
  }
  if (!full) {
    shipment.up_to = page->end;
    if (page->more && !page->entries.empty()) shipment.next_at = page->entries.back().at();
  }
  Ship(receiver, std::move(shipment));
  return page->more;
}

void Courier::Fill(Receiver& receiver, LogEntry& entry, Shipment& shipment, bool& full) {
  const bool is_wanted = entry.IsWantedBy(receiver.filter);
  full = (receiver.retry_up_to && entry.place() > *receiver.retry_up_to) ||
         (is_wanted && !shipment.batch.Add(entry.id(), entry.at(), entry.text()));
  if (full) {
    shipment.next_at = entry.at();
  } else {
    shipment.up_to = entry.place();
  }
}

void Courier::Ship(Receiver& receiver, Shipment shipment) {
  if (shipment.batch.empty()) {
    receiver.place = shipment.up_to;
    receiver.retry_up_to.reset();
    if (!shipment.next_at) receiver.waiting_since.reset();
    return;
  }
  const std::int64_t id = receiver.webhook.claim.id;
  receiver.waiting_since = shipment.batch.first_at();
  std::string body = shipment.batch.TakeBody();
  std::string message = shipment.batch.Id(id);
  Send(receiver, std::move(message), std::move(body),
       [this, id, shipment = std::move(shipment)](const Outcome& outcome) {
         OnShipped(id, shipment, outcome);
       });
}

// Once, whatever comes of it: it does not count as a failure.
void Courier::ShipPing(Receiver& receiver) {
  const std::int64_t id = receiver.webhook.claim.id;
  const base::Timestamp asked_at = *receiver.webhook.ping_asked_at;
  const std::string event = "ping." + std::to_string(asked_at.time_since_epoch().count());
  Batch batch(1);
  batch.Add(event, asked_at, WritePing(event, receiver.webhook.name, asked_at));
  std::string body = batch.TakeBody();
  Send(receiver, batch.Id(id), std::move(body),
       [this, id, asked_at](const Outcome& outcome) { OnPinged(id, asked_at, outcome); });
}

void Courier::Send(Receiver& receiver, std::string id, std::string body,
                   std::function<void(const Outcome&)> done) {
  const postgres::ClaimedWebhook& webhook = receiver.webhook;
  receiver.in_flight = true;
  if (UrlFault(webhook.definition.url, rules_)) {  // the settings were others when it was made
    Outcome refused;
    refused.reason = "forbidden-address";
    done(refused);
    return;
  }
  const Signature signature =
      Sign(webhook.secret, webhook.former_secret, std::move(id), clock_.Now(), body);
  const std::string tenant = TenantName(receiver);
  const std::int64_t failing = webhook.failures > 0 ? 1 : 0;
  ++under_way_[tenant];
  failing_under_way_ += failing;
  transfers_.Start({.method = "POST",
                    .url = webhook.definition.url,
                    .headers = {{"Content-Type", std::string(kBatchMediaType)},
                                {"Webhook-Id", signature.id},
                                {"Webhook-Timestamp", signature.timestamp},
                                {"Webhook-Signature", signature.value}},
                    .body = std::move(body)},
                   [this, tenant, failing,
                    done = std::move(done)](const base::Result<http_client::Response>& answer) {
                     if (--under_way_[tenant] == 0) under_way_.erase(tenant);
                     failing_under_way_ -= failing;
                     done(Judge(answer));
                   });
}

void Courier::OnShipped(std::int64_t id, const Shipment& shipment, const Outcome& outcome) {
  const auto at = receivers_.find(id);
  if (at == receivers_.end()) return;
  Receiver& receiver = at->second;
  receiver.in_flight = false;
  if (!outcome.delivered()) {
    meters_.failed.Add();
    Fail(receiver, shipment, outcome);
  } else {
    meters_.delivered.Add();
    meters_.events.Add(static_cast<double>(shipment.batch.events()));
    receiver.place = shipment.up_to;
    receiver.retry_up_to.reset();
    receiver.waiting_since = shipment.next_at;
    receiver.webhook.failures = 0;
    receiver.next_try = {};
    receiver.unsaved = {events::WritePlace(shipment.up_to), shipment.batch.events()};
    Save(receiver);
  }
  EraseIfGone(id);
}

void Courier::OnPinged(std::int64_t id, base::Timestamp asked_at, const Outcome& outcome) {
  const auto at = receivers_.find(id);
  if (at == receivers_.end()) return;
  Receiver& receiver = at->second;
  receiver.in_flight = false;
  (outcome.delivered() ? meters_.delivered : meters_.failed).Add();
  const auto ended = leases_.PingEnded(receiver.webhook.claim, asked_at,
                                       outcome.delivered() ? "delivered" : outcome.reason);
  if (!ended) {
    log_.Warn(database_limit_, "webhooks wait for the database", {{"why", ended.error().message}});
  }
  receiver.webhook.ping_asked_at.reset();  // where it was asked for again, the database says so
  EraseIfGone(id);
}

// What was delivered is not sent again while the database is away: that it was is kept until then.
void Courier::Save(Receiver& receiver) {
  const auto saved = leases_.Delivered(receiver.webhook.claim, receiver.unsaved->place,
                                       receiver.unsaved->events, receiver.waiting_since);
  if (!saved) {
    log_.Warn(database_limit_, "webhooks wait for the database", {{"why", saved.error().message}});
    receiver.next_try = clock_.SteadyNow() + kAgainAfter;
    return;
  }
  receiver.unsaved.reset();
  receiver.saved = receiver.place;
  const std::int64_t id = receiver.webhook.claim.id;
  if (!*saved) receivers_.erase(id);
}

void Courier::Fail(Receiver& receiver, const Shipment& shipment, const Outcome& outcome) {
  const std::int64_t failures = ++receiver.webhook.failures;
  const double chance = std::uniform_real_distribution<double>(0, 1)(random_);
  const milliseconds wait =
      std::max(RetryWait(failures, config_.retry_first, config_.retry_longest, chance),
               std::min(outcome.at_least, config_.retry_longest));
  receiver.next_try = clock_.SteadyNow() + wait;
  receiver.retry_up_to = shipment.up_to;
  const std::string tenant = TenantName(receiver);
  log_.Warn(failure_limit_, "a webhook was not delivered",
            {{"webhook", receiver.webhook.name},
             {"tenant", tenant},
             {"reason", outcome.reason},
             {"status", outcome.status.value_or(0)},
             {"failures", failures}});
  const auto after =
      leases_.Failed(receiver.webhook.claim,
                     {outcome.reason, outcome.status, wait, shipment.batch.first_at(),
                      outcome.for_ever, config_.disable_after_failures, config_.disable_after});
  if (!after) {
    log_.Warn(database_limit_, "webhooks wait for the database", {{"why", after.error().message}});
    return;
  }
  if (*after == postgres::WebhookAfter::kActive) return;
  if (*after == postgres::WebhookAfter::kDisabled) {
    meters_.disabled.Add();
    log_.Warn("a webhook was disabled", {{"webhook", receiver.webhook.name},
                                         {"tenant", tenant},
                                         {"reason", outcome.reason},
                                         {"status", outcome.status.value_or(0)},
                                         {"failures", failures}});
  }
  const std::int64_t id = receiver.webhook.claim.id;
  receivers_.erase(id);
}

void Courier::EraseIfGone(std::int64_t id) {
  const auto at = receivers_.find(id);
  if (at != receivers_.end() && at->second.gone && !at->second.in_flight) receivers_.erase(at);
}

}  // namespace heliograph::webhooks
