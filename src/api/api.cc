#include "api/api.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/action_routes.h"
#include "api/audit_routes.h"
#include "api/connection_routes.h"
#include "api/dead_letter_routes.h"
#include "api/event_routes.h"
#include "api/group_routes.h"
#include "api/guard.h"
#include "api/openapi_document.h"
#include "api/parameters.h"
#include "api/webhook_routes.h"
#include "base/startup_error.h"
#include "dispatch/housekeeper.h"
#include "dispatch/queue_worker.h"
#include "dispatch/watched_actions.h"
#include "events/event_hub.h"
#include "http/router.h"
#include "http/server.h"
#include "log/log.h"
#include "webhooks/courier.h"

namespace heliograph::api {
namespace {

// How long a request waits for a database session before it is told to come again.
constexpr std::chrono::milliseconds kSessionWait{2000};
// The same for sets of devices: one after the other.
constexpr std::chrono::milliseconds kSetWait{10'000};
// A million devices, on a slow disk.
constexpr std::chrono::milliseconds kLongestSet{120'000};

device::TopicGrammar TopicsOf(const Config& config) {
  auto topics = device::TopicGrammar::Create(config.topic_prefix);
  if (!topics) throw base::StartupError(topics.error().message);
  return *std::move(topics);
}

dispatch::PublisherOptions PublisherOptionsOf(const Config& config) {
  // The other threads answer what needs no broker, however silent it is.
  const std::int64_t publishing = std::max<std::int64_t>(config.listen.handler_threads / 2, 1);
  return {config.actions.publish_timeout, static_cast<std::size_t>(config.max_packet_bytes),
          static_cast<std::size_t>(publishing)};
}

// Of all sessions, those for what goes together (each carries many requests) and for what waits.
// They are apart, so that long lists do not hold them up.
postgres::Config ByKeysOnly(postgres::Config config, std::int64_t sessions) {
  config.pool_size = sessions;
  config.session_setup = postgres::kByKeysOnly;
  return config;
}

postgres::Config ForSets(postgres::Config config) {
  config.pool_size = kSessionsForSets;
  config.session_setup = postgres::kForSets;
  config.statement_timeout = std::max(config.statement_timeout, kLongestSet);
  return config;
}

postgres::Config RestOf(postgres::Config config) {
  config.session_setup = postgres::kForPages;
  config.pool_size -= kSessionsTogether + kSessionsForQueue + kSessionsForSets;
  return config;
}

base::Result<dispatch::WatchedActions::Shared> ReadShared(postgres::ActionStore& store,
                                                          const action::ActionId& id) {
  auto found = store.Get(id, std::nullopt);
  if (!found) return std::move(found).error();
  if (!*found) return dispatch::WatchedActions::Shared();
  return std::make_shared<const action::Action>(**std::move(found));
}

http::Response OpenApi(const http::Request& request) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  http::Response response;
  response.content_type = "application/yaml";
  response.body = OpenApiDocument();
  return response;
}

}  // namespace

// In the order of life: the server first stops, the database's sessions go last.
struct Api::Parts {
  Parts(const Config& config, base::Health& health, metrics::Registry& metrics)
      : callers(config.auth, clock, health, metrics),
        users(config.auth.users.enabled()
                  ? std::make_unique<auth::UserAuthoriser>(config.auth.users, clock, metrics)
                  : nullptr),
        pool(RestOf(config.postgres), "heliograph-api"),
        together(ByKeysOnly(config.postgres, kSessionsTogether), "heliograph-api"),
        queue_pool(ByKeysOnly(config.postgres, kSessionsForQueue), "heliograph-api"),
        set_pool(ForSets(config.postgres), "heliograph-api"),
        store(pool, together, kSessionWait),
        watched([this](const action::ActionId& id) { return ReadShared(store, id); }),
        sets(set_pool, kSetWait),
        group_store(pool, kSessionWait),
        queries(pool, kSessionWait),
        action_queries(pool, kSessionWait),
        audit(pool, kSessionWait),
        letters(pool, kSessionWait),
        target_log(pool, kSessionWait),
        connection_log(pool, kSessionWait),
        queue(queue_pool, kSessionWait),
        rollouts(pool, kSessionWait),
        due_rollouts(queue_pool, kSessionWait),
        lease(queue, dispatch::NameOf(config.mqtt), health, metrics),
        broker(config.mqtt, lease, health),
        publisher(broker, TopicsOf(config), PublisherOptionsOf(config), clock, metrics),
        unsaved(store, metrics),
        dispatcher(store, sets, publisher, lease, unsaved, config.actions, clock, metrics),
        housekeeper(store, unsaved, {letters, target_log, connection_log}, health, clock, metrics),
        event_reader(target_log, connection_log, metrics),
        hub(event_reader, group_store, metrics),
        webhook_store(pool, kSessionWait),
        webhook_leases(pool, kSessionWait),
        courier(config.webhooks, webhook_leases, event_reader, clock, metrics),
        worker({queue, due_rollouts, publisher, lease,
                [connection = config.mqtt.connection](const std::string& client_id) {
                  return dispatch::CloseConnection(connection, client_id);
                },
                [this](const postgres::QueuedAction& action,
                       std::span<const device::ClientId> client_ids) {
                  return permissions.Forbidden(action.requested_by, action.tenant, action.directive,
                                               client_ids);
                }},
               config.postgres, clock, metrics),
        webhook_routes({webhook_store, event_reader, courier, auditor},
                       *webhooks::RulesOf(config.webhooks), config.webhooks.max_per_tenant),
        server(config.listen, "api", MakeHandler(), metrics) {}

  http::Handler MakeHandler() {
    connections.AddTo(router, guard);
    actions.AddTo(router, guard);
    audit_routes.AddTo(router, guard);
    letter_routes.AddTo(router, guard);
    event_routes.AddTo(router, guard);
    groups.AddTo(router, guard);
    webhook_routes.AddTo(router, guard);
    router.Add("GET", "/openapi.yaml", OpenApi);
    return [this](const http::Request& request) { return router.Route(request); };
  }

  const base::SystemClock clock;
  auth::Callers callers;
  const std::unique_ptr<auth::UserAuthoriser> users;  // nullptr: nobody is asked
  const Permissions permissions{users.get()};
  postgres::Pool pool;
  postgres::Pool together;
  postgres::Pool queue_pool;
  postgres::Pool set_pool;
  postgres::ActionStore store;
  dispatch::WatchedActions watched;
  postgres::SetStore sets;
  postgres::GroupStore group_store;
  postgres::ConnectionQueries queries;
  postgres::ActionQueries action_queries;
  postgres::Audit audit;
  postgres::DeadLetterStore letters;
  postgres::TargetLog target_log;
  postgres::ConnectionLog connection_log;
  postgres::DispatchQueue queue;
  postgres::RolloutStore rollouts;      // to pause them
  postgres::RolloutStore due_rollouts;  // to let their targets go
  dispatch::Lease lease;
  dispatch::BrokerSession broker;
  dispatch::Publisher publisher;
  dispatch::UnsavedOutcomes unsaved;
  dispatch::Dispatcher dispatcher;
  dispatch::Housekeeper housekeeper;
  events::EventReader event_reader;
  events::EventHub hub;
  postgres::WebhookStore webhook_store;
  postgres::WebhookLeases webhook_leases;
  webhooks::Courier courier;
  dispatch::QueueWorker worker;
  const Guard guard{callers};
  ConnectionRoutes connections{queries};
  Auditor auditor{audit};
  Submitter submitter{dispatcher, sets, permissions};
  ActionRoutes actions{submitter, store, watched, action_queries, rollouts, auditor};
  EventRoutes event_routes{hub};
  DeadLetterRoutes letter_routes{letters, store, submitter, auditor};
  AuditRoutes audit_routes{audit};
  GroupRoutes groups{group_store};
  WebhookRoutes webhook_routes;
  http::Router router;
  http::Server server;
};

Api::Api(const Config& config, base::Health& health, metrics::Registry& metrics) {
  // Or a replica would be sent requests that it does not take yet.
  health.SetNotReady("http", "not listening yet");
  parts_ = std::make_unique<Parts>(config, health, metrics);
  health.SetReady("http");
  log::Logger("api").Info("serving", {{"port", parts_->server.port()}});
}

Api::~Api() = default;

int Api::Run(const std::stop_token& stop) {
  parts_->callers.Keep(stop);
  return 0;
}

}  // namespace heliograph::api
