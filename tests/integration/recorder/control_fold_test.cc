// Batches through PostgreSQL come to the same rows as the pure rules applied message by message to
// everything.
#include "recorder/control_fold.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>

#include "contract/owner/fake_resolver.h"
#include "integration/recorder/database.h"
#include "json/json.h"

namespace heliograph::recorder {
namespace {

using device::ClientId;
using device::TenantId;

// One partition of a log that is made up. Threads: one thread.
class Log {
 public:
  void Add(const std::string& key, std::string payload, std::int32_t partition = 0) {
    payloads_.push_back(std::move(payload));
    keys_.push_back(key);
    const auto offset = static_cast<std::int64_t>(payloads_.size()) - 1;
    records_.push_back({partition, offset,
                        base::Timestamp(std::chrono::milliseconds(1'800'000'000'000 + offset * 7)),
                        keys_.back(), payloads_.back()});
  }
  std::span<const Record> records() const { return records_; }
  // What was added since the last call.
  std::span<const Record> fresh() {
    return records().subspan(std::exchange(seen_, records_.size()));
  }

 private:
  std::deque<std::string> payloads_;
  std::deque<std::string> keys_;
  std::vector<Record> records_;
  std::size_t seen_ = 0;
};

std::string Status(const std::string& state, const std::string& session,
                   const std::string& message_id, json::Value more = json::Value::object()) {
  more["state"] = state;
  if (!session.empty()) more["session_id"] = session;
  return json::Write({{"type", "connection-status"},
                      {"message_id", message_id},
                      {"version", 1},
                      {"content", more}});
}

class ControlFoldTest : public testing::Test {
 protected:
  ControlFoldTest() : database_("control_fold_test"), connection_(database_.Connect()) {}

  // Applies in batches of a size that `next_size` gives.
  void Apply(std::span<const Record> records, const std::function<std::size_t()>& next_size,
             owner::Resolver* resolver = nullptr) {
    while (!records.empty()) {
      const auto batch = records.first(std::min(next_size(), records.size()));
      records = records.subspan(batch.size());
      ControlFold fold;
      EXPECT_TRUE(fold.Prepare(batch).empty());
      auto transaction = Begin(connection_);
      Must(fold.Apply(
          transaction, {{0, 1}, {4, 1}}, resolver,
          [&](device::Change change, const device::Connection& connection, const Record& record) {
            changes_.push_back({change, connection.client_id, record.offset});
          }));
      Must(transaction.Commit());
      untold_ = fold.untold_owners();
    }
  }
  void Apply(Log& log, owner::Resolver* resolver = nullptr) {
    Apply(log.fresh(), [] { return std::size_t{100}; }, resolver);
  }

  std::vector<std::string> Lines(const std::string& sql) {
    const auto rows = postgres::Must(connection_.Execute(sql));
    std::vector<std::string> lines;
    for (int row = 0; row < rows.size(); ++row) lines.emplace_back(rows.Get(row, 0));
    return lines;
  }

  struct Told {
    device::Change change;
    ClientId client_id;
    std::int64_t offset;
    bool operator==(const Told&) const = default;
  };

  Database database_;
  postgres::Connection connection_;
  std::vector<Told> changes_;
  std::vector<UntoldOwner> untold_;  // of the last batch
};

// Few clients, sessions and message ids, so that repeats, late wills and reopened stays are
// frequent.
void AddRandom(Log& log, std::mt19937& random) {
  const auto pick = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  const std::string client = "c-" + std::to_string(pick(4));
  const std::string session = pick(4) == 0 ? "" : "s-" + std::to_string(pick(5));
  const std::string message = pick(5) == 0 ? "" : "m-" + std::to_string(pick(4));
  const int kind = pick(10);
  if (kind == 0) {
    log.Add(client, R"({"type":"event","content":"pong"})");
  } else if (kind < 6) {
    json::Value more = {{"canonical_facts", {{"n", pick(3)}}}};
    if (pick(3) == 0) more["tags"] = {{"site", "x" + std::to_string(pick(2))}, {"k:1", "v:2"}};
    if (pick(3) == 0) more["dispatchers"] = {{"rhc", {{"v", "1"}}}, {"pkg", nullptr}};
    if (pick(3) == 0) more["client_version"] = std::to_string(pick(2));
    log.Add(client, Status("online", session, message, more));
  } else {
    log.Add(client, Status("offline", session, message,
                           {{"reason", pick(2) == 0 ? "connection_lost" : ""}}));
  }
}

// Each as one line, as the SQL below writes them.
std::string Line(const device::Connection& connection) {
  const auto word = [](const std::string& text) { return text.empty() ? "-" : text; };
  return connection.client_id.str() + " " +
         std::string(device::ConnectionStateName(connection.state)) + " " +
         std::to_string(connection.since.time_since_epoch().count()) + " " +
         word(connection.reason) + " " +
         std::to_string(connection.last_seen.time_since_epoch().count()) + " " +
         (connection.session_id ? connection.session_id->str() : "-") + " " +
         word(connection.description.client_version) + " " +
         std::to_string(connection.position.offset) + " " + connection.description.canonical_facts +
         connection.description.dispatchers + connection.description.tags;
}

std::string Line(const ClientId& client_id, const device::Interval& interval) {
  return client_id.str() + " " + std::to_string(interval.opened_at.offset) + " " +
         std::to_string(interval.online_from.time_since_epoch().count()) + " " +
         (interval.online_until ? std::to_string(interval.online_until->time_since_epoch().count())
                                : "-") +
         " " + (interval.end_reason.empty() ? "-" : interval.end_reason) + " " +
         (interval.session_id ? interval.session_id->str() : "-") + " " +
         (interval.message_id.empty() ? "-" : interval.message_id.str());
}

constexpr const char* kConnectionLines =
    "SELECT concat_ws(' ', client_id, state, (extract(epoch FROM since) * 1000000)::bigint, "
    "coalesce(reason, '-'),"
    " (extract(epoch FROM last_seen) * 1000000)::bigint, coalesce(session_id, '-'), "
    "coalesce(client_version, '-'),"
    " log_offset, coalesce(canonical_facts::text, 'null') || coalesce(dispatchers::text, 'null') ||"
    " coalesce(tags::text, 'null'))"
    " FROM connections LEFT JOIN connection_descriptions USING (client_id) ORDER BY client_id";
constexpr const char* kIntervalLines =
    "SELECT concat_ws(' ', client_id, opened_offset, (extract(epoch FROM online_from) * "
    "1000000)::bigint,"
    " coalesce((extract(epoch FROM online_until) * 1000000)::bigint::text, '-'), coalesce(reason, "
    "'-'),"
    " coalesce(session_id, '-'), coalesce(message_id, '-')) FROM intervals ORDER BY client_id, "
    "opened_offset";

TEST_F(ControlFoldTest, AnyBatchesComeToWhatTheRulesSay) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    postgres::Must(connection_.ExecuteScript(
        "TRUNCATE connections, connection_descriptions, connection_labels, intervals"));
    changes_.clear();
    std::mt19937 random(seed);
    Log log;
    for (int i = 0; i < 400; ++i) AddRandom(log, random);
    Apply(log.records(), [&]() -> std::size_t { return 1 + random() % (seed % 3 == 0 ? 2 : 40); });

    std::map<ClientId, device::History> histories;
    std::vector<Told> told;
    for (const Record& record : log.records()) {
      device::History& history = histories[ClientId(record.key)];
      history.connection.client_id = ClientId(record.key);
      const auto message =
          std::get<device::ControlMessage>(device::ParseControlMessage(record.payload));
      const auto change = device::Apply(message, {0, record.offset}, record.time, history);
      if (change != device::Change::kNone)
        told.push_back({change, ClientId(record.key), record.offset});
    }
    std::vector<std::string> connections;
    std::vector<std::string> intervals;
    for (const auto& [client_id, history] : histories) {
      connections.push_back(Line(history.connection));
      for (const auto& interval : history.intervals) intervals.push_back(Line(client_id, interval));
    }
    EXPECT_EQ(Lines(kConnectionLines), connections) << "seed " << seed;
    EXPECT_EQ(Lines(kIntervalLines), intervals) << "seed " << seed;
    EXPECT_TRUE(changes_ == told) << "seed " << seed;
    EXPECT_EQ(Lines("SELECT label || client_id FROM connection_labels ORDER BY 1"),
              Lines("SELECT label || client_id FROM connection_descriptions, labels_of(tags, "
                    "dispatchers) AS l(label)"
                    " ORDER BY 1"))
        << "seed " << seed;
  }
}

TEST_F(ControlFoldTest, NewConnectionsGetTheirOwnersAndKeepThem) {
  owner::FakeResolver resolver({{ClientId("a"), TenantId("one")}});
  Log log;
  log.Add("a", Status("online", "s", "m"));
  log.Add("b", Status("online", "s", "m"));
  Apply(log, &resolver);
  const auto owners = [&] {
    return Lines("SELECT client_id || coalesce(tenant, '-') FROM connections ORDER BY 1");
  };
  EXPECT_EQ(owners(), (std::vector<std::string>{"aone", "b-"}));
  log.Add("a", Status("offline", "s", "m2"));
  Apply(log, nullptr);
  EXPECT_EQ(owners(), (std::vector<std::string>{"aone", "b-"}))
      << "a later message does not ask again";
}

TEST_F(ControlFoldTest, WhoComesFromAnotherPartitionGetsHisOwnerAnew) {
  owner::FakeResolver before({{ClientId("a"), TenantId("one")}, {ClientId("b"), TenantId("one")}});
  Log log;
  log.Add("a", Status("online", "s", "m"));
  log.Add("b", Status("online", "s", "m"));
  Apply(log, &before);
  // The rules have changed; the sweep of partition 4 is over, that of partition 0 has not begun.
  owner::FakeResolver after({{ClientId("a"), TenantId("two")}, {ClientId("b"), TenantId("two")}});
  log.Add("a", Status("offline", "s", "m2"), 4);
  log.Add("b", Status("offline", "s", "m2"));
  Apply(log, &after);
  EXPECT_EQ(Lines("SELECT client_id || tenant FROM connections ORDER BY 1"),
            (std::vector<std::string>{"atwo", "bone"}));
}

TEST_F(ControlFoldTest, WhoseOwnerCannotBeToldIsStoredWithTheOneThatIsKnown) {
  owner::FakeResolver resolver({{ClientId("a"), TenantId("one")}});
  Log log;
  log.Add("a", Status("online", "s", "m"));
  Apply(log, &resolver);
  EXPECT_TRUE(untold_.empty());
  resolver.Hide(true);
  log.Add("a", Status("offline", "s", "m2"), 4);
  log.Add("b", Status("online", "s", "m"));
  Apply(log, &resolver);
  EXPECT_EQ(Lines("SELECT client_id || coalesce(tenant, '-') FROM connections ORDER BY 1"),
            (std::vector<std::string>{"aone", "b-"}));
  std::map<std::string, std::int32_t> untold;
  for (const UntoldOwner& one : untold_) untold[one.client_id.str()] = one.partition;
  EXPECT_EQ(untold, (std::map<std::string, std::int32_t>{{"a", 4}, {"b", 0}}))
      << "where its newest record is";
}

TEST_F(ControlFoldTest, LabelsAreFoundByTheFunctionsThatTheApiUses) {
  Log log;
  log.Add("a", Status("online", "s", "m",
                      {{"tags", {{"site", "x"}}}, {"dispatchers", {{"rhc", nullptr}}}}));
  Apply(log);
  EXPECT_EQ(
      Lines("SELECT client_id FROM connection_labels WHERE label = tag_label('site', 'x')").size(),
      1U);
  EXPECT_EQ(
      Lines("SELECT client_id FROM connection_labels WHERE label = dispatcher_label('rhc')").size(),
      1U);
  log.Add("a", Status("online", "s2", "m2", {{"tags", {{"site", "y"}}}}));
  Apply(log);
  EXPECT_EQ(
      Lines("SELECT client_id FROM connection_labels WHERE label = tag_label('site', 'x')").size(),
      0U);
  EXPECT_EQ(Lines("SELECT client_id FROM connection_labels").size(), 1U);
}

TEST_F(ControlFoldTest, NulInTextsIsGoneAndUnicodeStays) {
  Log log;
  log.Add(
      "a",
      R"({"type":"connection-status","content":{"state":"online","client_name":"x\u0000y","canonical_facts":{"k\u0000":"a\u0000é\ud83d\ude00"}}})");
  Apply(log);
  EXPECT_EQ(Lines("SELECT client_name FROM connections"), std::vector<std::string>{"xy"});
  EXPECT_EQ(Lines("SELECT canonical_facts ->> 'k' FROM connection_descriptions"),
            std::vector<std::string>{"aé😀"});
}

}  // namespace
}  // namespace heliograph::recorder
