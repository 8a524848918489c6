// The SQL of a rebuild. For rebuild.cc only.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "postgres/transaction.h"

namespace heliograph::recorder {

inline constexpr std::string_view kRebuildSchema = "heliograph_rebuild";

// Empty tables like those of `schema`, in place of what an earlier rebuild left.
base::Status MakeRebuildTables(postgres::Connection& connection, const std::string& schema);
base::Status DropRebuildTables(postgres::Connection& connection);

// Where each partition's log begins now, and its generation.
struct LogBegin {
  std::int32_t generation = 1;
  std::int64_t begin = 0;
};

struct SwapReport {
  std::int64_t changed_rows = 0;
  std::int64_t older_than_log = 0;
  std::int64_t connections = 0;
  std::int64_t intervals = 0;
};

// Makes the tables of `schema` equal to the rebuilt ones, after adding to these what the log does
// not reach back to.
base::Result<SwapReport> SwapIn(postgres::Transaction& transaction, const std::string& schema,
                                const std::map<std::int32_t, LogBegin>& logs, bool keep_tenants);

}  // namespace heliograph::recorder
