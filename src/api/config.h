// The settings of heliograph-api: each section is declared by the component that it is for.
#pragma once

#include <cstdint>
#include <string>

#include "auth/callers.h"
#include "config/binder.h"
#include "dispatch/broker_session.h"
#include "dispatch/config.h"
#include "http/server.h"
#include "postgres/config.h"
#include "webhooks/config.h"

namespace heliograph::api {

// Database sessions that serve requests which go together.
inline constexpr std::int64_t kSessionsTogether = 2;
inline constexpr std::int64_t kSessionsForQueue = 2;
// For actions on sets of devices, one after the other: they are a lot of work for the database.
inline constexpr std::int64_t kSessionsForSets = 1;

struct Config {
  Config();

  std::string topic_prefix = "heliograph";
  std::int64_t max_packet_bytes = 1024 * 1024;
  http::ServerConfig listen;
  dispatch::BrokerConfig mqtt;
  postgres::Config postgres;
  auth::Config auth;
  dispatch::ActionsConfig actions;
  webhooks::Config webhooks;

  void Bind(config::Binder& binder);
};

}  // namespace heliograph::api
