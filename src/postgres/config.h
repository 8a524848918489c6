// Where PostgreSQL is, and how long it may take.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/secret.h"
#include "config/binder.h"

namespace heliograph::postgres {

// For sessions that find few rows by their keys: every plan goes by the indexes, and is made once.
// A plan that was made while the tables were empty would else read them whole, whatever they grow
// to.
inline constexpr const char* kByKeysOnly =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
    " SET jit = off; SET plan_cache_mode = force_generic_plan";

// For sessions that ask about sets of devices, seldom and of any size: every plan is made for its
// set.
inline constexpr const char* kForSets = "SET plan_cache_mode = force_custom_plan; SET jit = off";

// For sessions that read pages: each page comes in the order of an index and ends with the page. By
// a bitmap PostgreSQL reads everything that belongs to a large action and sorts it, as long as it
// has not counted how much that is.
inline constexpr const char* kForPages = "SET enable_bitmapscan = off";

struct Config {
  // A libpq connection string or URL: TLS and several hosts as libpq has them. A server that is
  // read-only is passed over.
  std::string connection = "host=127.0.0.1 port=5432 dbname=heliograph user=heliograph";
  base::Secret password;
  std::chrono::milliseconds connect_timeout{
      std::chrono::seconds(3)};  // for each host that is tried
  // The server ends a statement after this; we stop waiting one second later. 0 = no limit
  // (migrations, rebuilds).
  std::chrono::milliseconds statement_timeout{std::chrono::seconds(8)};
  std::chrono::milliseconds lock_timeout{std::chrono::seconds(4)};
  std::int64_t pool_size = 8;
  // Not a setting of a site: SQL that every session begins with, "SET plan_cache_mode =
  // force_generic_plan".
  std::string session_setup;
  // Nor this: how long a pool's session goes by its plans before it makes them anew. A plan knows
  // the sizes that the tables had when it was made.
  std::chrono::milliseconds plans_last{std::chrono::seconds(5)};

  void Bind(config::Binder& binder);
};

}  // namespace heliograph::postgres
