// Against a real server: what libpq and PostgreSQL make of our parameters, and what becomes of a
// session in trouble.
#include "postgres/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <string>

#include "integration/postgres/database.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST(Connection, SetsItsLimitsAndItsName) {
  Connection connection = Connect();
  EXPECT_EQ(Must(connection.Execute("SHOW statement_timeout")).Get(0, 0), "8s");
  EXPECT_EQ(Must(connection.Execute("SHOW lock_timeout")).Get(0, 0), "4s");
  EXPECT_EQ(Must(connection.Execute("SHOW idle_in_transaction_session_timeout")).Get(0, 0), "5s");
  EXPECT_EQ(Must(connection.Execute("SHOW application_name")).Get(0, 0), "test");
}

TEST(Connection, ValuesComeBackAsTheyWent) {
  Connection connection = Connect();
  const base::Timestamp time{std::chrono::microseconds(1'795'000'000'123'456)};
  const Rows rows = Must(connection.Execute(
      "SELECT $1::text, $2::bigint, $3::boolean, $4::timestamptz, $5::text, $6::json",
      {"it's \"quoted\" \\ é", -9'000'000'000, true, time, std::nullopt, R"({"a": [1, 2.50]})"}));
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows.Get(0, 0), "it's \"quoted\" \\ é");
  EXPECT_EQ(rows.GetInt64(0, 1), -9'000'000'000);
  EXPECT_TRUE(rows.GetBool(0, 2));
  EXPECT_EQ(rows.GetTimestamp(0, 3), time);
  EXPECT_TRUE(rows.IsNull(0, 4));
  EXPECT_EQ(rows.GetOptional(0, 4), std::nullopt);
  EXPECT_EQ(rows.Get(0, 5), R"({"a": [1, 2.50]})");
}

TEST(Connection, ArraysOfEveryTypeUnnest) {
  Connection connection = Connect();
  TextArray texts;
  texts.Add(std::string_view("a,\"{}\\ NULL"));
  texts.AddNull();
  Int64Array longs;
  longs.Add(1LL << 40);
  longs.Add(-1);
  Int32Array integers;
  integers.Add(7);
  integers.AddNull();
  BoolArray flags;
  flags.Add(true);
  flags.Add(false);
  TimestampArray times;
  times.Add(base::Timestamp{});
  times.AddNull();
  JsonArray values;
  values.Add(R"({"k":"v"})");
  values.AddNull();
  const Rows rows =
      Must(connection.Execute("SELECT * FROM unnest($1::text[], $2::bigint[], $3::int[], "
                              "$4::bool[], $5::timestamptz[], $6::jsonb[])",
                              {texts, longs, integers, flags, times, values}));
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows.Get(0, 0), "a,\"{}\\ NULL");
  EXPECT_EQ(rows.GetInt64(0, 1), 1LL << 40);
  EXPECT_EQ(rows.GetInt64(0, 2), 7);
  EXPECT_TRUE(rows.GetBool(0, 3));
  EXPECT_EQ(rows.GetTimestamp(0, 4), base::Timestamp{});
  EXPECT_EQ(rows.Get(0, 5), R"({"k": "v"})");
  EXPECT_TRUE(rows.IsNull(1, 0));
  EXPECT_TRUE(rows.IsNull(1, 2));
  EXPECT_FALSE(rows.GetBool(1, 3));
  EXPECT_TRUE(rows.IsNull(1, 4));
}

TEST(Connection, EmptyArraysAreArrays) {
  Connection connection = Connect();
  EXPECT_EQ(Must(connection.Execute("SELECT * FROM unnest($1::text[])", {TextArray()})).size(), 0);
}

TEST(Connection, ErrorsSayWhatACallerMayDoAndLeaveTheSessionUsable) {
  Connection connection = Connect();
  Must(connection.ExecuteScript(
      "CREATE TEMPORARY TABLE one (id int PRIMARY KEY, name text CHECK (name <> ''))"));
  Must(connection.Execute("INSERT INTO one VALUES ($1::int, 'x')", {1}));
  const auto code = [&](std::string_view sql, std::initializer_list<Parameter> parameters) {
    return connection.Execute(sql, parameters).error().code;
  };
  EXPECT_EQ(code("INSERT INTO one VALUES ($1::int, 'x')", {1}), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code("INSERT INTO one VALUES ($1::int, '')", {2}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("SELECT $1::int", {"seven"}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("SELECT $1::text", {"\xff\xfe"}), ErrorCode::kInvalidArgument) << "not UTF-8";
  EXPECT_EQ(code("SELECT $1::text", {"a\0b"s}), ErrorCode::kInvalidArgument) << "NUL";
  EXPECT_EQ(code("SELECT no_such_column FROM one", {}), ErrorCode::kUnavailable)
      << "not migrated yet";
  EXPECT_EQ(code("SELEKT", {}), ErrorCode::kInternal);
  TextArray bad;
  bad.Add("a\0b"s);
  EXPECT_EQ(code("SELECT $1::text[]", {bad}), ErrorCode::kInvalidArgument) << "NUL in an array";
  EXPECT_TRUE(connection.healthy());
}

TEST(Connection, ErrorsDoNotTellValues) {
  Connection connection = Connect();
  Must(connection.ExecuteScript("CREATE TEMPORARY TABLE two (id text PRIMARY KEY)"));
  Must(connection.Execute("INSERT INTO two VALUES ($1)", {"secret-value"}));
  const auto again = connection.Execute("INSERT INTO two VALUES ($1)", {"secret-value"});
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, testing::Not(testing::HasSubstr("secret-value")));
}

TEST(Connection, ASlowStatementIsEndedByTheServer) {
  Config config = TestConfig();
  config.statement_timeout = 200ms;
  config.lock_timeout = 100ms;
  Connection connection = Connect(config);
  const auto slow = connection.Execute("SELECT pg_sleep(5)");
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(connection.healthy());
}

TEST(Connection, ALockIsNotWaitedForWithoutEnd) {
  Connection setup = Connect();
  Must(setup.ExecuteScript("DROP TABLE IF EXISTS locked; CREATE TABLE locked (id int)"));
  auto holder = Transaction::Begin(setup);
  ASSERT_TRUE(holder);
  Must(holder->Execute("LOCK TABLE locked"));
  Config config = TestConfig();
  config.lock_timeout = 100ms;
  Connection other = Connect(config);
  const auto blocked = other.Execute("SELECT * FROM locked");
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().code, ErrorCode::kUnavailable);
}

TEST(Connection, ASessionThatTheServerEndedIsLostAndSaysSo) {
  Connection connection = Connect();
  Connection other = Connect();
  const Rows pid = Must(connection.Execute("SELECT pg_backend_pid()"));
  Must(other.Execute("SELECT pg_terminate_backend($1::int)", {std::string(pid.Get(0, 0))}));
  const auto after = connection.Execute("SELECT 1");
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(connection.healthy());
  EXPECT_FALSE(connection.Execute("SELECT 1"));
}

TEST(Connection, AServerThatIsStoppedIsNotWaitedForWithoutEnd) {
  Config config = TestConfig();
  config.statement_timeout = 200ms;
  config.lock_timeout = 200ms;
  Connection connection = Connect(config);
  const Rows pid = Must(connection.Execute("SELECT pg_backend_pid()"));
  const auto backend = static_cast<pid_t>(pid.GetInt64(0, 0));
  ASSERT_EQ(::kill(backend, SIGSTOP), 0)
      << "the server must run on this machine, by this user's hand";
  const std::string stat = "/proc/" + std::to_string(backend) + "/stat";
  for (std::string line; line.find(") T ") == std::string::npos;
       std::getline(std::ifstream(stat), line)) {
  }
  const auto silent = connection.Execute("SELECT 1");
  ::kill(backend, SIGCONT);
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_FALSE(connection.healthy())
      << "its answer may still come, and would be taken for the next one's";
}

TEST(Connection, AnAlteredTableDoesNotBreakAKeptPlanForEver) {
  Connection connection = Connect();
  Must(
      connection.ExecuteScript("DROP TABLE IF EXISTS altered; CREATE TABLE altered (id int); "
                               "INSERT INTO altered VALUES (1)"));
  Must(connection.Execute("SELECT * FROM altered"));
  Must(connection.ExecuteScript("ALTER TABLE altered ADD COLUMN more text"));
  const auto stale = connection.Execute("SELECT * FROM altered");
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(connection.healthy()) << "to be replaced by its pool";
}

TEST(Connection, TheNextHostIsTriedWhenOneIsSilent) {
  Config config = TestConfig();
  // 192.0.2.0/24 is for documentation (RFC 5737): nobody answers there.
  config.connection += config.connection.find('?') == std::string::npos ? "?" : "&";
  const Rows where = Must(Connect().Execute("SELECT host(inet_server_addr()), inet_server_port()"));
  config.connection += "host=192.0.2.1," + std::string(where.Get(0, 0)) + "&port=5432," +
                       std::string(where.Get(0, 1));
  config.connect_timeout = 300ms;
  const auto opened = Connection::Open(config, "test");
  EXPECT_TRUE(opened) << opened.error().message;
}

TEST(Connection, NobodyThereIsUnavailable) {
  Config config;
  config.connection = "host=127.0.0.1 port=1 dbname=none";
  const auto opened = Connection::Open(config, "test");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
}

TEST(Transaction, RollsBackUnlessCommitted) {
  Connection connection = Connect();
  Must(connection.ExecuteScript("CREATE TEMPORARY TABLE kept (id int)"));
  {
    auto transaction = Transaction::Begin(connection);
    ASSERT_TRUE(transaction);
    Must(transaction->Execute("INSERT INTO kept VALUES (1)"));
  }
  EXPECT_EQ(Must(connection.Execute("SELECT * FROM kept")).size(), 0);
  auto transaction = Transaction::Begin(connection);
  ASSERT_TRUE(transaction);
  Must(transaction->Execute("INSERT INTO kept VALUES (1)"));
  EXPECT_TRUE(transaction->Commit());
  EXPECT_EQ(Must(connection.Execute("SELECT * FROM kept")).size(), 1);
}

TEST(Transaction, ACommitAfterAFailureIsNoSuccess) {
  Connection connection = Connect();
  auto transaction = Transaction::Begin(connection);
  ASSERT_TRUE(transaction);
  EXPECT_FALSE(transaction->Execute("SELECT 1 / 0"));
  EXPECT_FALSE(transaction->Commit());
  EXPECT_TRUE(connection.Execute("SELECT 1"));
}

}  // namespace
}  // namespace heliograph::postgres
