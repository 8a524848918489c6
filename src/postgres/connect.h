// Opens libpq sessions without blocking. Used by Connection only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "postgres/config.h"

struct pg_conn;

namespace heliograph::postgres {

// Keywords and values for one try of one host.
using ConnectParameters = std::vector<std::pair<std::string, std::string>>;

// One element for each host of the connection string, in its order, with what it leaves open filled
// in: keepalives, tcp_user_timeout, target_session_attrs=read-write, application_name, password.
// libpq would wait for a silent host without end where the caller polls, so that the next would
// never be tried; hence one try for each host.
base::Result<std::vector<ConnectParameters>> HostsOf(const Config& config,
                                                     std::string_view application_name);

// The caller owns the session.
base::Result<pg_conn*> ConnectTo(const ConnectParameters& host, std::chrono::milliseconds limit);

}  // namespace heliograph::postgres
