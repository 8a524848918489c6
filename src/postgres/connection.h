// One PostgreSQL session. Every wait is bounded, also when the server's process is stopped: nothing
// blocks in libpq.
#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_handle.h"
#include "postgres/config.h"
#include "postgres/parameter.h"
#include "postgres/rows.h"

struct pg_conn;

namespace heliograph::postgres {

void CloseSession(pg_conn* session) noexcept;

// Errors: kUnavailable and kDeadlineExceeded may be tried again (after a lost answer the statement
// may still have taken effect); kAlreadyExists is a unique key; kInvalidArgument is a value that
// the server refuses; see sqlstate.h. An error's message holds the server's primary message, never
// a parameter's value. Threads: one thread at a time.
class Connection {
 public:
  // Tries each host of the connection string in turn, each for config.connect_timeout.
  // `application_name` shows in pg_stat_activity. Sets time limits, UTC and ISO dates.
  // kInvalidArgument: the connection string cannot be parsed.
  static base::Result<Connection> Open(const Config& config, std::string_view application_name);

  // One statement, prepared at its first use and kept by its text: texts should be few and fixed.
  base::Result<Rows> Execute(std::string_view sql, std::span<const Parameter> parameters = {});
  base::Result<Rows> Execute(std::string_view sql, std::initializer_list<Parameter> parameters) {
    return Execute(sql, std::span(parameters.begin(), parameters.size()));
  }

  // Any number of statements without parameters; the answer of the last. Unprepared.
  base::Result<Rows> ExecuteScript(const std::string& sql);

  // False once the session is lost or its state unknown; it never becomes healthy again. Asks
  // nobody.
  bool healthy() const noexcept;
  // As healthy, and the server has not closed it meanwhile, as far as this side of the network
  // knows.
  bool LooksAlive() noexcept;
  // The next statements are planned anew, if that has been longer ago than config.plans_last.
  // Returns as Execute.
  base::Status RenewPlans();
  // After a LISTEN: the socket, which is readable when something may have come; -1 once it is lost.
  int socket() const noexcept;
  // Takes what has come, without waiting: how many notifications.
  base::Result<int> TakeNotifications();
  bool in_transaction() const noexcept;

 private:
  friend class Transaction;
  using Session = base::UniqueHandle<pg_conn, CloseSession>;
  struct Values;  // what libpq wants to know of parameters

  Connection(Session session, std::chrono::milliseconds answer_limit,
             std::chrono::milliseconds plans_last)
      : session_(std::move(session)), answer_limit_(answer_limit), plans_last_(plans_last) {}

  base::Status Configure(const Config& config);
  // The prepared statement's name; "" when there are too many and it goes unprepared.
  base::Result<std::string> Prepare(std::string_view sql);
  // After something was sent: the last result, within answer_limit_. The session is lost when there
  // is none in time.
  base::Result<Rows> Await();
  base::Status WaitForSocket(short events, base::SteadyTime deadline);
  base::Error Lost(base::ErrorCode code, std::string message);
  base::Error Failed(const pg_result* result);

  Session session_;
  std::chrono::milliseconds answer_limit_;  // 0 = none
  std::chrono::milliseconds plans_last_;
  base::SteadyTime planned_at_ = std::chrono::steady_clock::now();  // none is older
  bool lost_ = false;
  std::unordered_map<std::string, std::string> prepared_;  // SQL text -> name
};

}  // namespace heliograph::postgres
