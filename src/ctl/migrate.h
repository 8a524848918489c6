// The database's schema: what `migrate` does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "ctl/postgres_options.h"

namespace heliograph::ctl {

struct MigrateOptions {
  PostgresOptions postgres;
  std::string folder = DefaultMigrations();
  std::int64_t last = 0;  // up: so far; 0 = all
  int count = 1;          // down: so many
  bool yes = false;       // down deletes data, and wants to be told that this is meant

  // Where an installed program has them, or ./migrations.
  static std::string DefaultMigrations();
};

base::Result<ExitCode> MigrateUp(const MigrateOptions& options, const Console& console);
base::Result<ExitCode> MigrateDown(const MigrateOptions& options, const Console& console);
// kNo when something is missing, altered or unknown.
base::Result<ExitCode> MigrateStatus(const MigrateOptions& options, const Console& console);

}  // namespace heliograph::ctl
