#include "postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <vector>

#include "log/log.h"
#include "postgres/connect.h"
#include "postgres/sqlstate.h"

namespace heliograph::postgres {
namespace {

using base::ErrorCode;
using base::MakeError;

// Texts beyond these go unprepared: a caller that makes texts up must not fill the server's memory.
constexpr std::size_t kMostPrepared = 200;
// A transaction whose owner was stopped must not keep its locks: the server ends the session.
constexpr std::chrono::milliseconds kIdleInTransaction{5000};
// How much longer than statement_timeout an answer may take to arrive.
constexpr std::chrono::milliseconds kAnswerGrace{1000};

extern "C" void LogNotice(void*, const pg_result* result) {
  const char* text = ::PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  log::Logger("postgres").Debug("notice from the server", {{"text", text == nullptr ? "" : text}});
}

}  // namespace

void CloseSession(pg_conn* session) noexcept { ::PQfinish(session); }

struct Connection::Values {
  explicit Values(std::span<const Parameter> parameters) {
    for (const Parameter& one : parameters) {
      data.push_back(one.data());
      lengths.push_back(one.length());
      formats.push_back(one.binary() ? 1 : 0);
      valid = valid && one.valid();
    }
  }
  int count() const { return static_cast<int>(data.size()); }

  std::vector<const char*> data;
  std::vector<int> lengths;
  std::vector<int> formats;
  bool valid = true;
};

base::Result<Connection> Connection::Open(const Config& config, std::string_view application_name) {
  const auto hosts = HostsOf(config, application_name);
  if (!hosts) return hosts.error();
  base::Error error;
  for (const ConnectParameters& host : *hosts) {
    auto session = ConnectTo(host, config.connect_timeout);
    if (!session) {
      error = std::move(session).error();
      continue;
    }
    const bool limited = config.statement_timeout.count() > 0;
    Connection connection(
        Session(*session),
        limited ? config.statement_timeout + kAnswerGrace : std::chrono::milliseconds(0),
        config.plans_last);
    if (auto configured = connection.Configure(config); !configured) {
      error = std::move(configured).error();
      continue;
    }
    return connection;
  }
  return error;
}

base::Status Connection::Configure(const Config& config) {
  ::PQsetNoticeReceiver(session_.get(), LogNotice, nullptr);
  if (::PQsetnonblocking(session_.get(), 1) != 0) {
    return Lost(ErrorCode::kInternal, "a PostgreSQL session refused to be non-blocking");
  }
  const auto text = [](std::chrono::milliseconds limit) { return std::to_string(limit.count()); };
  auto answer = ExecuteScript(
      "SET statement_timeout = " + text(config.statement_timeout) +
      "; SET lock_timeout = " + text(config.lock_timeout) +
      "; SET idle_in_transaction_session_timeout = " + text(kIdleInTransaction) +
      "; SET DateStyle = 'ISO'; SET TimeZone = 'UTC'; SET client_min_messages = 'warning'; " +
      config.session_setup);
  if (!answer) return std::move(answer).error();
  return {};
}

bool Connection::healthy() const noexcept {
  return !lost_ && session_ && ::PQstatus(session_.get()) == CONNECTION_OK;
}

bool Connection::LooksAlive() noexcept {
  if (!healthy()) return false;
  // Nothing was asked, so whatever can be read is a farewell, or a notice that comes with the next
  // answer.
  pollfd socket{::PQsocket(session_.get()), POLLIN, 0};
  if (::poll(&socket, 1, 0) == 0) return true;
  return ::PQconsumeInput(session_.get()) == 1 && ::PQstatus(session_.get()) == CONNECTION_OK &&
         ::poll(&socket, 1, 0) == 0;
}

base::Status Connection::RenewPlans() {
  const auto now = std::chrono::steady_clock::now();
  if (now - planned_at_ < plans_last_) return {};
  planned_at_ = now;
  if (auto answer = ExecuteScript("DISCARD PLANS"); !answer) return std::move(answer).error();
  return {};
}

int Connection::socket() const noexcept { return healthy() ? ::PQsocket(session_.get()) : -1; }

base::Result<int> Connection::TakeNotifications() {
  if (!healthy() || ::PQconsumeInput(session_.get()) != 1) {
    return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
  }
  int taken = 0;
  while (PGnotify* one = ::PQnotifies(session_.get())) {
    ::PQfreemem(one);
    ++taken;
  }
  return taken;
}

bool Connection::in_transaction() const noexcept {
  return session_ && ::PQtransactionStatus(session_.get()) != PQTRANS_IDLE;
}

base::Error Connection::Lost(ErrorCode code, std::string message) {
  lost_ = true;
  return MakeError(code, std::move(message));
}

base::Error Connection::Failed(const pg_result* result) {
  const char* state = ::PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view sqlstate = state == nullptr ? "" : state;
  const char* primary = ::PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (sqlstate.empty() || ::PQstatus(session_.get()) != CONNECTION_OK) {
    return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
  }
  const std::string message =
      "PostgreSQL: " + std::string(primary == nullptr ? "an error without words" : primary) + " (" +
      std::string(sqlstate) + ")";
  // A kept plan whose tables were changed by a migration, or a statement that a pooler has taken
  // from us: begin anew.
  if (sqlstate == "26000" ||
      (sqlstate == "0A000" && message.find("cached plan") != std::string::npos)) {
    return Lost(ErrorCode::kUnavailable, message);
  }
  return MakeError(CodeOf(sqlstate), message);
}

base::Status Connection::WaitForSocket(short events, base::SteadyTime deadline) {
  pollfd socket{::PQsocket(session_.get()), events, 0};
  while (true) {
    int limit = -1;
    if (answer_limit_.count() > 0) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return Lost(ErrorCode::kDeadlineExceeded, "PostgreSQL did not answer in time");
      }
      limit = static_cast<int>(left.count());
    }
    const int ready = ::poll(&socket, 1, limit);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) {
      return Lost(ErrorCode::kUnavailable, "the PostgreSQL session's socket cannot be waited for");
    }
  }
}

base::Result<Rows> Connection::Await() {
  const auto deadline = std::chrono::steady_clock::now() + answer_limit_;
  for (int unsent = ::PQflush(session_.get()); unsent != 0; unsent = ::PQflush(session_.get())) {
    if (unsent < 0) return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
    if (auto ready = WaitForSocket(POLLIN | POLLOUT, deadline); !ready) return ready.error();
    // The server may be sending already; not reading it could stop both sides.
    if (::PQconsumeInput(session_.get()) != 1) {
      return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
    }
  }
  std::optional<base::Result<Rows>> last;
  while (true) {
    while (::PQisBusy(session_.get()) != 0) {
      if (auto ready = WaitForSocket(POLLIN, deadline); !ready) return ready.error();
      if (::PQconsumeInput(session_.get()) != 1) {
        return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
      }
    }
    Rows rows(::PQgetResult(session_.get()));
    if (rows.IsEnd()) break;
    if (rows.failed()) {
      last = Failed(rows.result_.get());
    } else {
      last = std::move(rows);
    }
  }
  if (!last) return Lost(ErrorCode::kInternal, "PostgreSQL gave no answer to a statement");
  return *std::move(last);
}

base::Result<std::string> Connection::Prepare(std::string_view sql) {
  const std::string text(sql);
  if (const auto known = prepared_.find(text); known != prepared_.end()) return known->second;
  if (prepared_.size() >= kMostPrepared) return std::string();
  const std::string name = "s" + std::to_string(prepared_.size() + 1);
  if (::PQsendPrepare(session_.get(), name.c_str(), text.c_str(), 0, nullptr) != 1) {
    return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
  }
  if (auto answer = Await(); !answer) return std::move(answer).error();
  prepared_.emplace(text, name);
  return name;
}

base::Result<Rows> Connection::Execute(std::string_view sql,
                                       std::span<const Parameter> parameters) {
  if (!healthy()) return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
  const Values values(parameters);
  if (!values.valid) {
    return MakeError(ErrorCode::kInvalidArgument,
                     "a text has a NUL, which PostgreSQL cannot store");
  }
  const auto name = Prepare(sql);
  if (!name) return name.error();
  const int sent =
      name->empty()
          ? ::PQsendQueryParams(session_.get(), std::string(sql).c_str(), values.count(), nullptr,
                                values.data.data(), values.lengths.data(), values.formats.data(), 0)
          : ::PQsendQueryPrepared(session_.get(), name->c_str(), values.count(), values.data.data(),
                                  values.lengths.data(), values.formats.data(), 0);
  if (sent != 1) return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
  return Await();
}

base::Result<Rows> Connection::ExecuteScript(const std::string& sql) {
  if (!healthy()) return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
  if (::PQsendQuery(session_.get(), sql.c_str()) != 1) {
    return Lost(ErrorCode::kUnavailable, "the PostgreSQL session was lost");
  }
  return Await();
}

}  // namespace heliograph::postgres
