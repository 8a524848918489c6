// A migrated database, emptied before each test, and a few rows to ask about.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "postgres/action_store.h"
#include "postgres/migrations.h"
#include "postgres/pool.h"
#include "postgres/set_store.h"

namespace heliograph::postgres {

inline Config StoreConfig() {
  const char* connection = std::getenv("HELIOGRAPH_TEST_POSTGRES");
  if (connection == nullptr) {
    throw std::runtime_error(
        "HELIOGRAPH_TEST_POSTGRES must hold the connection string of an empty database; ./dev test "
        "sets it");
  }
  Config config;
  config.connection = connection;
  return config;
}

inline Config SetConfig() {
  Config config = StoreConfig();
  config.pool_size = 1;
  config.session_setup = kForSets;
  config.statement_timeout = std::chrono::minutes(2);
  return config;
}

template <class T>
T Must(base::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

class StoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto read = Must(ReadMigrations(HELIOGRAPH_SOURCE_DIR "/migrations"));
    auto migrations = Must(Migrations::Open(StoreConfig(), std::move(read)));
    Must(migrations.Up());
  }

  static constexpr const char* kEmpty =
      "TRUNCATE connections, connection_descriptions, connection_labels, intervals, actions, "
      "action_targets, idempotency_keys, queued_targets, mailboxes, dispatchers, target_log, "
      "dead_letters, groups, group_members, dry_runs, rollouts, held_targets, rollout_changes, "
      "connection_log, connection_log_told, kafka_offsets; "
      "UPDATE target_log_readers SET xid = DEFAULT, place = DEFAULT, owner = NULL, "
      "lease_until = DEFAULT; UPDATE connection_log_segments SET forgotten = DEFAULT";

  void SetUp() override { Run(kEmpty); }

  Rows Run(const std::string& sql) {
    auto session = Must(pool_.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
    return Must(session->ExecuteScript(sql));
  }
  std::string One(const std::string& sql) {
    const Rows rows = Run(sql);
    return rows.empty() ? "(no row)" : std::string(rows.Get(0, 0));
  }

  void AddConnection(const std::string& id, const std::string& state,
                     const std::string& tenant = "") {
    Run("INSERT INTO connections (client_id, tenant, state, since, reason, last_seen, "
        "log_generation, log_partition,"
        " log_offset) VALUES ('" +
        id + "', nullif('" + tenant + "', ''), '" + state +
        "', now(), 'said_online', now(), 1, 0, 7)");
  }

  static FinishedRequest Finished(const NewAction& action, std::vector<Outcome> outcomes) {
    return {action.request, action.action.id, std::move(outcomes), base::SystemClock().Now(),
            "{\"answer\":1}"};
  }
  // "queued not_online"
  std::string StatusOf(const NewAction& action, const std::string& client_id) {
    return One(
        "SELECT status || coalesce(' ' || reason, '') FROM action_targets WHERE action_id = '" +
        action.action.id.str() + "' AND client_id = '" + client_id + "'");
  }
  void EndLease() { Run("UPDATE idempotency_keys SET lease_until = now() - interval '1 second'"); }

  Pool pool_{StoreConfig(), "test"};
  ActionStore store_{pool_, std::chrono::seconds(5)};
  Pool set_pool_{SetConfig(), "test"};
  SetStore sets_{set_pool_, std::chrono::seconds(30)};
};

inline NewAction ActionFor(std::vector<std::string> client_ids, const std::string& key = "key-1",
                           std::optional<device::TenantId> tenant = std::nullopt) {
  NewAction action;
  action.request = {tenant, key};
  action.request_hash = "hash";
  action.lease = std::chrono::seconds(60);
  action.action.id = action::NewActionId(base::SystemClock().Now());
  action.action.directive = action::Directive("solar.configure");
  action.action.payload = R"({"limit_w":4000,"nul":"\u0000"})";
  action.action.requested_by = "tester";
  action.ttl = std::chrono::seconds(3600);
  for (std::string& id : client_ids) action.client_ids.emplace_back(std::move(id));
  return action;
}

inline NewAction Queueing(NewAction action) {
  action.action.if_offline = action::IfOffline::kQueue;
  return action;
}

}  // namespace heliograph::postgres
