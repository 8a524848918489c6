#include "postgres/connect.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "base/clock.h"
#include "base/unique_handle.h"
#include "postgres/connection.h"

namespace heliograph::postgres {
namespace {

using base::ErrorCode;
using base::MakeError;
using Keywords = std::map<std::string, std::string>;

base::Result<Keywords> ParseConnectionString(const std::string& text) {
  char* complaint = nullptr;
  const base::UniqueHandle<PQconninfoOption, ::PQconninfoFree> options(
      ::PQconninfoParse(text.c_str(), &complaint));
  const base::UniqueHandle<char, ::PQfreemem> complaint_owner(complaint);
  if (!options) {
    // libpq's text may quote a part of the string, and with it a password.
    return MakeError(ErrorCode::kInvalidArgument,
                     "postgres.connection is not a libpq connection string");
  }
  Keywords keywords;
  for (const PQconninfoOption* one = options.get(); one->keyword != nullptr; ++one) {
    if (one->val != nullptr) keywords[one->keyword] = one->val;
  }
  return keywords;
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  if (parts.empty() || text.back() == ',') parts.emplace_back();
  return parts;
}

void FillIn(Keywords& keywords, const Config& config, std::string_view application_name) {
  keywords.emplace("application_name", application_name);
  keywords.emplace("client_encoding", "UTF8");
  keywords.emplace("target_session_attrs", "read-write");
  keywords.emplace("keepalives", "1");
  keywords.emplace("keepalives_idle", "10");
  keywords.emplace("keepalives_interval", "5");
  keywords.emplace("keepalives_count", "3");
  keywords.emplace("tcp_user_timeout", "15000");
  if (!config.password.empty()) keywords["password"] = config.password.Reveal();
}

std::string LastLine(const char* text) {
  std::string all = text == nullptr ? "" : text;
  while (!all.empty() && all.back() == '\n') all.pop_back();
  std::replace(all.begin(), all.end(), '\n', ' ');
  return all;
}

}  // namespace

base::Result<std::vector<ConnectParameters>> HostsOf(const Config& config,
                                                     std::string_view application_name) {
  auto parsed = ParseConnectionString(config.connection);
  if (!parsed) return std::move(parsed).error();
  Keywords& keywords = *parsed;
  FillIn(keywords, config, application_name);
  // host, hostaddr and port are lists of the same length; one port serves all hosts.
  const std::vector<std::string> names = SplitAtCommas(keywords["host"]);
  const std::vector<std::string> addresses = SplitAtCommas(keywords["hostaddr"]);
  const std::vector<std::string> ports = SplitAtCommas(keywords["port"]);
  const std::size_t count = std::max(names.size(), addresses.size());
  const auto fits = [count](const std::vector<std::string>& list) {
    return list.size() == 1 || list.size() == count;
  };
  if (!fits(names) || !fits(addresses) || !fits(ports)) {
    return MakeError(ErrorCode::kInvalidArgument,
                     "postgres.connection names different numbers of hosts, addresses and ports");
  }
  std::vector<ConnectParameters> hosts;
  for (std::size_t i = 0; i < count; ++i) {
    Keywords one = keywords;
    one["host"] = names[names.size() == 1 ? 0 : i];
    one["hostaddr"] = addresses[addresses.size() == 1 ? 0 : i];
    one["port"] = ports[ports.size() == 1 ? 0 : i];
    std::erase_if(one, [](const auto& keyword) { return keyword.second.empty(); });
    hosts.emplace_back(one.begin(), one.end());
  }
  return hosts;
}

base::Result<pg_conn*> ConnectTo(const ConnectParameters& host, std::chrono::milliseconds limit) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : host) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  base::UniqueHandle<pg_conn, CloseSession> session(
      ::PQconnectStartParams(names.data(), values.data(), 0));
  if (!session) return MakeError(ErrorCode::kUnavailable, "no memory for a PostgreSQL session");
  const auto deadline = std::chrono::steady_clock::now() + limit;
  PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
  while (::PQstatus(session.get()) != CONNECTION_BAD && wants != PGRES_POLLING_OK) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd socket{::PQsocket(session.get()),
                  static_cast<short>(wants == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&socket, 1, static_cast<int>(left.count()));
    if (ready == 0) {
      return MakeError(ErrorCode::kUnavailable, "PostgreSQL did not answer a connect in time");
    }
    if (ready > 0) wants = ::PQconnectPoll(session.get());
    if (wants == PGRES_POLLING_FAILED) break;
  }
  if (::PQstatus(session.get()) != CONNECTION_OK) {
    return MakeError(ErrorCode::kUnavailable,
                     "PostgreSQL refused: " + LastLine(::PQerrorMessage(session.get())));
  }
  return session.release();
}

}  // namespace heliograph::postgres
