#include "api/config.h"

#include "device/topic.h"

namespace heliograph::api {

Config::Config() {
  // A payload of the largest packet beside 20,000 client ids of the greatest length; a group of
  // 100,000 client ids as long as a UUID.
  listen.max_body_bytes = 4 * 1024 * 1024;
  // An action waits twice for the database's disk and once for the broker, and nearly nothing of
  // that is work: threads that wait together share one write of the log.
  listen.handler_threads = 64;
  // Each event stream keeps a connection; the others stay as many as they were.
  listen.max_connections += listen.max_streams;
  postgres.pool_size = 24;
  // A broker that is silent is noticed within twice that, and nothing else passes while no action
  // is sent.
  mqtt.connection.keepalive = std::chrono::seconds(6);
}

void Config::Bind(config::Binder& binder) {
  binder.String(topic_prefix, "topic_prefix", "What all MQTT topics begin with; as ingest has it.");
  binder.Require(device::TopicGrammar::Create(topic_prefix).has_value(),
                 "topic_prefix is not 1 to 8 levels without wildcards");
  binder.Integer(max_packet_bytes, "max_packet_bytes", {1024, 256 * 1024 * 1024},
                 "The broker's max_packet_size: an action that would be more is refused.");
  binder.Section(listen, "listen", "Where REST is served.");
  binder.Section(mqtt, "mqtt", "The broker's listener for services.");
  binder.Section(postgres, "postgres", "The database that the recorder writes.");
  binder.Require(postgres.pool_size > kSessionsTogether + kSessionsForQueue + kSessionsForSets,
                 "postgres.pool_size must be 6 or more: 5 sessions are kept for actions");
  binder.Section(auth, "auth", "Who may call.");
  binder.Section(actions, "actions", "How actions are carried out.");
  binder.Section(webhooks, "webhooks", "Who is told of events by requests to them.");
}

}  // namespace heliograph::api
