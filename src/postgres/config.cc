#include "postgres/config.h"

namespace heliograph::postgres {

void Config::Bind(config::Binder& binder) {
  using namespace std::chrono_literals;
  binder.String(connection, "connection",
                "Where PostgreSQL is: a libpq connection string or URL, several hosts and TLS as "
                "libpq has them.");
  binder.SecretFile(password, "password_file",
                    "A file that holds the password; empty where the connection string or "
                    "pg_hba.conf settle it.");
  binder.Duration(connect_timeout, "connect_timeout_ms", {100ms, 60s},
                  "How long connecting to one host may take before the next is tried.");
  binder.Duration(statement_timeout, "statement_timeout_ms", {100ms, 10min},
                  "The server ends a statement that takes longer.");
  binder.Duration(lock_timeout, "lock_timeout_ms", {10ms, 10min},
                  "The server ends a statement that waits longer for a lock.");
  binder.Integer(pool_size, "pool_size", {1, 200}, "Sessions that may be open at a time.");
  binder.Require(lock_timeout <= statement_timeout,
                 "lock_timeout_ms must not be longer than statement_timeout_ms");
}

}  // namespace heliograph::postgres
