// Brings the database's schema to what this version needs, and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "postgres/connection.h"

namespace heliograph::postgres {

// One pair of files, `0001_connections.up.sql` and `0001_connections.down.sql`.
struct Migration {
  std::int64_t version = 0;
  std::string name;  // "connections"
  std::string up;    // SQL
  std::string down;
};

// All pairs in `folder`, by version. kNotFound: no such folder, or nothing in it; kInvalidArgument:
// a name that is none, a half of a pair, a version given twice or left out.
base::Result<std::vector<Migration>> ReadMigrations(const std::filesystem::path& folder);

struct MigrationState {
  std::int64_t version = 0;
  std::string name;
  std::optional<base::Timestamp> applied_at;  // null = not yet
  bool altered = false;                       // applied, and its file is another now
  bool file_missing = false;                  // applied by a newer version of the program
};

// Each migration runs in a transaction of its own, together with its row in `schema_migrations`,
// which keeps the checksum of the up file. An advisory lock keeps two runs apart (the second waits
// up to 30 s). An applied file that was altered, or is missing, stops every run: kConflict.
// Threads: one thread.
class Migrations {
 public:
  // Opens a session without a statement limit.
  static base::Result<Migrations> Open(Config config, std::vector<Migration> migrations);

  base::Result<std::vector<MigrationState>> Status();
  // Applies what is missing, up to and with `last` where it is given. Answers what was applied.
  base::Result<std::vector<Migration>> Up(std::optional<std::int64_t> last = std::nullopt);
  // Takes back the newest `count`. Answers what was taken back.
  base::Result<std::vector<Migration>> Down(int count = 1);

 private:
  Migrations(Connection connection, std::vector<Migration> migrations)
      : connection_(std::move(connection)), migrations_(std::move(migrations)) {}

  // Runs `work` under the advisory lock.
  base::Result<std::vector<Migration>> Locked(
      const std::function<base::Result<std::vector<Migration>>(const std::vector<MigrationState>&)>&
          work);
  base::Result<std::vector<Migration>> ApplyMissing(const std::vector<MigrationState>& states,
                                                    std::int64_t last);
  base::Result<std::vector<Migration>> TakeBack(const std::vector<MigrationState>& states,
                                                int count);
  base::Result<std::vector<MigrationState>> CheckedStatus();
  base::Status Apply(const Migration& migration, bool up);

  Connection connection_;
  std::vector<Migration> migrations_;
};

}  // namespace heliograph::postgres
