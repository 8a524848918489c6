#include "device/connection.h"

#include <gtest/gtest.h>

#include <random>

#include "json/json.h"

namespace heliograph::device {
namespace {

using Session = std::optional<SessionId>;

ControlMessage SaysOnline(Session session, std::string message_id, std::string tags = "null") {
  Online online;
  online.session_id = std::move(session);
  online.description.tags = std::move(tags);
  return {MessageId(std::move(message_id)), std::move(online)};
}

ControlMessage SaysOffline(Session session, std::string reason = "connection_lost") {
  return {MessageId("will"), Offline{std::move(session), std::move(reason)}};
}

// One device's log, applied record by record; record n is stored at second n.
class Log {
 public:
  Change Append(const ControlMessage& message) {
    const auto time = base::Timestamp{std::chrono::seconds(++offset_)};
    return Apply(message, {0, offset_}, time, history);
  }

  ConnectionState state() const { return history.connection.state; }
  std::size_t open() const {
    std::size_t count = 0;
    for (const Interval& one : history.intervals) count += one.online_until ? 0 : 1;
    return count;
  }

  History history;

 private:
  std::int64_t offset_ = 0;
};

const Session kNone = std::nullopt;
const Session kOne = SessionId("s-1");
const Session kTwo = SessionId("s-2");

TEST(ClosesSession, OnlyItsOwn) {
  Interval open;
  open.session_id = SessionId("s-2");
  EXPECT_TRUE(ClosesSession({SessionId("s-2"), ""}, open, false)) << "its own will";
  EXPECT_TRUE(ClosesSession({SessionId("s-2"), ""}, open, true))
      << "its own will, after a repeat reopened it";
  EXPECT_FALSE(ClosesSession({SessionId("s-1"), ""}, open, true))
      << "a late will of a session known to have ended";
  EXPECT_TRUE(ClosesSession({SessionId("s-9"), ""}, open, false))
      << "never seen: its online was lost";
  EXPECT_TRUE(ClosesSession({kNone, ""}, open, false))
      << "an agent without session ids: the log's order decides";
  open.session_id.reset();
  EXPECT_TRUE(ClosesSession({SessionId("s-1"), ""}, open, true))
      << "nobody knows whose stay is open";
}

TEST(Apply, OpensAndClosesAStay) {
  Log log;
  EXPECT_EQ(log.Append(SaysOnline(kOne, "m-1")), Change::kOnline);
  EXPECT_EQ(log.state(), ConnectionState::kOnline);
  EXPECT_EQ(log.history.connection.reason, "said_online");
  EXPECT_EQ(log.Append(SaysOffline(kOne)), Change::kOffline);
  EXPECT_EQ(log.state(), ConnectionState::kOffline);
  EXPECT_EQ(log.history.connection.reason, "connection_lost");
  ASSERT_EQ(log.history.intervals.size(), 1u);
  EXPECT_EQ(log.history.intervals[0].opened_at, (LogPosition{0, 1}));
  EXPECT_EQ(log.history.intervals[0].end_reason, "connection_lost");
  EXPECT_EQ(*log.history.intervals[0].online_until, base::Timestamp{std::chrono::seconds(2)});
  EXPECT_EQ(log.Append(SaysOffline(kOne, "said_offline")), Change::kNone)
      << "it is offline already";
  EXPECT_EQ(log.history.connection.reason, "connection_lost") << "the first reason stands";
  EXPECT_EQ(log.history.connection.last_seen, base::Timestamp{std::chrono::seconds(3)});
}

TEST(Apply, LateWillOfAnEndedSessionLeavesTheDeviceOnline) {
  Log log;
  log.Append(SaysOnline(kOne, "m-1"));
  EXPECT_EQ(log.Append(SaysOnline(kTwo, "m-2")), Change::kOnline);
  EXPECT_EQ(log.history.intervals[0].end_reason, "superseded");
  EXPECT_EQ(log.Append(SaysOffline(kOne)), Change::kNone);
  EXPECT_EQ(log.state(), ConnectionState::kOnline);
  EXPECT_EQ(log.history.connection.session_id, kTwo);
}

TEST(Apply, OfflineOfAnUnknownSessionCloses) {
  Log log;
  log.Append(SaysOnline(kOne, "m-1"));
  EXPECT_EQ(log.Append(SaysOffline(kTwo)), Change::kOffline) << "its online was lost";
}

TEST(Apply, OfflineBeforeAnyOnlineIsKept) {
  Log log;
  EXPECT_EQ(log.Append(SaysOffline(kOne)), Change::kOffline);
  EXPECT_TRUE(log.history.intervals.empty());
}

TEST(Apply, RepeatedOnlineOfTheOpenStaySaysNothing) {
  Log log;
  log.Append(SaysOnline(kOne, "m-1"));
  EXPECT_EQ(log.Append(SaysOnline(kOne, "m-1")), Change::kNone);
  EXPECT_EQ(log.history.intervals.size(), 1u);
  EXPECT_EQ(log.history.connection.since, base::Timestamp{std::chrono::seconds(1)});
}

TEST(Apply, RepeatedOnlineReopensTheStayThatARepeatedOfflineWithoutIdClosed) {
  Log log;
  log.Append(SaysOnline(kOne, "m-1"));
  log.Append(SaysOffline(kNone));
  EXPECT_EQ(log.Append(SaysOnline(kOne, "m-1")), Change::kOnline);
  ASSERT_EQ(log.history.intervals.size(), 1u);
  EXPECT_FALSE(log.history.intervals[0].online_until);
  EXPECT_EQ(log.history.intervals[0].end_reason, "");
  EXPECT_EQ(log.history.connection.since, base::Timestamp{std::chrono::seconds(1)});
}

TEST(Apply, TheSameSessionMayTellMoreOfItself) {
  Log log;
  log.Append(SaysOnline(kOne, "m-1", R"({"a":"1","b":"2"})"));
  log.history.connection.description.tags =
      R"({"b": "2", "a": "1"})";  // as PostgreSQL gives it back
  EXPECT_EQ(log.Append(SaysOnline(kOne, "m-2", R"({"a":"1","b":"2"})")), Change::kNone);
  EXPECT_EQ(log.Append(SaysOnline(kOne, "m-3", R"({"a":"3"})")), Change::kChanged);
  EXPECT_EQ(log.history.intervals.size(), 1u);
}

TEST(Apply, AgentsWithoutSessionIdsRefreshTheirStay) {
  Log log;
  EXPECT_EQ(log.Append(SaysOnline(kNone, "m-1")), Change::kOnline);
  EXPECT_EQ(log.Append(SaysOnline(kNone, "m-2", R"({"a":"1"})")), Change::kChanged);
  EXPECT_EQ(log.history.intervals.size(), 1u);
  EXPECT_EQ(log.Append(SaysOnline(kOne, "m-3")), Change::kOnline) << "another kind of session";
  EXPECT_EQ(log.history.intervals.size(), 2u);
}

TEST(Apply, EventsAreProofOfLifeOnly) {
  Log log;
  EXPECT_EQ(log.Append({MessageId("m"), DeviceEvent{"pong", ""}}), Change::kNone);
  EXPECT_EQ(log.state(), ConnectionState::kUnknown);
  log.Append(SaysOnline(kOne, "m-1"));
  EXPECT_EQ(log.Append({MessageId("m"), DeviceEvent{"disconnect", ""}}), Change::kNone);
  EXPECT_EQ(log.state(), ConnectionState::kOnline);
  EXPECT_EQ(log.history.connection.position, (LogPosition{0, 3}));
}

TEST(Apply, AStayNeverEndsBeforeItBegan) {
  History history;
  Apply(SaysOnline(kOne, "m-1"), {0, 1}, base::Timestamp{std::chrono::seconds(9)}, history);
  Apply(SaysOffline(kOne), {0, 2}, base::Timestamp{std::chrono::seconds(3)}, history);
  EXPECT_EQ(*history.intervals[0].online_until, history.intervals[0].online_from);
}

// After any run of the log's end is repeated, as after a crash of ingest, the device is as it was.
// Ids are partly missing.
TEST(Apply, RepeatedRunsEndInTheSameState) {
  std::mt19937 random(20261121);
  for (int round = 0; round < 20000; ++round) {
    std::vector<ControlMessage> said;
    for (int session = 0; session < 6; ++session) {
      const bool with_id = random() % 3 != 0;
      const Session id = with_id ? Session(SessionId("s" + std::to_string(session))) : kNone;
      said.push_back(SaysOnline(id, "m" + std::to_string(session)));
      if (random() % 4 != 0) said.push_back(SaysOffline(random() % 4 != 0 ? id : kNone));
    }
    said.resize(1 + random() % said.size());
    Log log;
    for (const ControlMessage& message : said) log.Append(message);
    const ConnectionState state = log.state();
    const Session session = log.history.connection.session_id;
    for (std::size_t i = said.size() - 1 - random() % said.size(); i < said.size(); ++i)
      log.Append(said[i]);
    ASSERT_EQ(log.state(), state) << "round " << round;
    ASSERT_EQ(log.history.connection.session_id, session) << "round " << round;
    ASSERT_EQ(log.open(), state == ConnectionState::kOnline ? 1u : 0u) << "round " << round;
  }
}

TEST(WriteConnection, IsTheRestObject) {
  Log log;
  log.history.connection.client_id = ClientId("site-7");
  log.Append(SaysOnline(kOne, "m-1", R"({"site":"north"})"));
  const auto written = json::Parse(WriteConnection(log.history.connection));
  ASSERT_TRUE(written);
  EXPECT_EQ(
      json::Write(*written),
      R"({"canonical_facts":null,"client_id":"site-7","client_name":null,"client_version":null,"dispatchers":null,)"
      R"("last_seen":"1970-01-01T00:00:01.000000Z","log_position":"0:1","reason":"said_online","session_id":"s-1",)"
      R"("since":"1970-01-01T00:00:01.000000Z","state":"online","tags":{"site":"north"},"tenant":null})");
}

}  // namespace
}  // namespace heliograph::device
