#include "postgres/migrations.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <regex>
#include <sstream>

#include "postgres/transaction.h"

namespace heliograph::postgres {
namespace {

using base::ErrorCode;
using base::MakeError;

constexpr std::int64_t kLockKey =
    0x68656c696f;  // "helio": any number that others are unlikely to lock

base::Result<std::string> ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  if (!file || !(content << file.rdbuf())) {
    return MakeError(ErrorCode::kNotFound,
                     "the file " + path.string() + " cannot be read or is empty");
  }
  return content.str();
}

base::Status CheckComplete(const std::map<std::int64_t, Migration>& found) {
  std::int64_t expected = 1;
  for (const auto& [version, migration] : found) {
    if (version != expected) {
      return MakeError(ErrorCode::kInvalidArgument,
                       "migration " + std::to_string(expected) + " is missing");
    }
    if (migration.up.empty() || migration.down.empty()) {
      return MakeError(ErrorCode::kInvalidArgument, "migration " + std::to_string(version) +
                                                        " lacks its .up.sql or its .down.sql");
    }
    ++expected;
  }
  return {};
}

}  // namespace

base::Result<std::vector<Migration>> ReadMigrations(const std::filesystem::path& folder) {
  static const std::regex kName(R"((\d{4})_([a-z0-9_]+)\.(up|down)\.sql)");
  std::error_code error;
  std::map<std::int64_t, Migration> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".sql")) continue;
    std::smatch parts;
    if (!std::regex_match(name, parts, kName)) {
      return MakeError(ErrorCode::kInvalidArgument,
                       name + " is not named NNNN_name.up.sql or .down.sql");
    }
    Migration& migration = found[std::stoll(parts[1])];
    if (!migration.name.empty() && migration.name != parts[2]) {
      return MakeError(ErrorCode::kInvalidArgument,
                       "migration " + parts[1].str() + " has two names");
    }
    migration.version = std::stoll(parts[1]);
    migration.name = parts[2];
    auto text = ReadText(entry.path());
    if (!text) return std::move(text).error();
    (parts[3] == "up" ? migration.up : migration.down) = *std::move(text);
  }
  if (error || found.empty()) {
    return MakeError(ErrorCode::kNotFound, "there are no migrations in " + folder.string());
  }
  if (auto complete = CheckComplete(found); !complete) return std::move(complete).error();
  std::vector<Migration> migrations;
  for (auto& [version, migration] : found) migrations.push_back(std::move(migration));
  return migrations;
}

base::Result<Migrations> Migrations::Open(Config config, std::vector<Migration> migrations) {
  config.statement_timeout = std::chrono::milliseconds(0);
  config.lock_timeout = std::chrono::seconds(30);
  auto connection = Connection::Open(config, "heliograph-migrate");
  if (!connection) return std::move(connection).error();
  auto table = connection->ExecuteScript(
      "CREATE TABLE IF NOT EXISTS schema_migrations ("
      "  version bigint PRIMARY KEY,"
      "  name text NOT NULL,"
      "  checksum text NOT NULL,"
      "  applied_at timestamptz NOT NULL DEFAULT now());"
      "COMMENT ON TABLE schema_migrations IS 'Which files of migrations/ were applied; checksum is "
      "SHA-256 of the up file';");
  // Two first runs at once: one of them finds the table made under its hands, and the table is
  // there.
  if (!table && table.error().code != ErrorCode::kAlreadyExists) return std::move(table).error();
  return Migrations(*std::move(connection), std::move(migrations));
}

base::Result<std::vector<MigrationState>> Migrations::Status() {
  auto rows = connection_.Execute(
      "SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version");
  if (!rows) return std::move(rows).error();
  std::map<std::int64_t, MigrationState> states;
  std::map<std::int64_t, std::string> checksums;
  for (int row = 0; row < rows->size(); ++row) {
    const std::int64_t version = rows->GetInt64(row, 0);
    states[version] = {version, std::string(rows->Get(row, 1)), rows->GetTimestamp(row, 3), false,
                       true};
    checksums[version] = rows->Get(row, 2);
  }
  for (const Migration& migration : migrations_) {
    MigrationState& state = states[migration.version];
    state.version = migration.version;
    state.file_missing = false;
    if (!state.applied_at) {
      state.name = migration.name;
      continue;
    }
    // The server hashes, so that this folder needs no cryptography library.
    auto checksum =
        connection_.Execute("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", {migration.up});
    if (!checksum) return std::move(checksum).error();
    state.altered = checksum->Get(0, 0) != checksums[migration.version];
  }
  std::vector<MigrationState> all;
  for (auto& [version, state] : states) all.push_back(std::move(state));
  return all;
}

base::Result<std::vector<MigrationState>> Migrations::CheckedStatus() {
  auto states = Status();
  if (!states) return states;
  for (const MigrationState& state : *states) {
    const std::string title =
        "migration " + std::to_string(state.version) + " (" + state.name + ")";
    if (state.altered)
      return MakeError(ErrorCode::kConflict, title + " was altered after it was applied");
    if (state.file_missing) {
      return MakeError(ErrorCode::kConflict,
                       title + " was applied by a newer version; its file is not here");
    }
  }
  return states;
}

base::Result<std::vector<Migration>> Migrations::Locked(
    const std::function<base::Result<std::vector<Migration>>(const std::vector<MigrationState>&)>&
        work) {
  if (auto locked = connection_.Execute("SELECT pg_advisory_lock($1::bigint)", {kLockKey});
      !locked) {
    return std::move(locked).error();
  }
  const auto states = CheckedStatus();
  auto done = states ? work(*states) : base::Result<std::vector<Migration>>(states.error());
  // Where this fails the session is lost, and the lock with it.
  (void)connection_.Execute("SELECT pg_advisory_unlock($1::bigint)", {kLockKey});
  return done;
}

base::Status Migrations::Apply(const Migration& migration, bool up) {
  auto transaction = Transaction::Begin(connection_);
  if (!transaction) return std::move(transaction).error();
  auto applied = connection_.ExecuteScript(up ? migration.up : migration.down);
  if (!applied) {
    return MakeError(applied.error().code, "migration " + std::to_string(migration.version) + " (" +
                                               migration.name + "): " + applied.error().message);
  }
  if (!connection_.in_transaction()) {
    return MakeError(ErrorCode::kInvalidArgument, "migration " + std::to_string(migration.version) +
                                                      " ends its transaction itself");
  }
  auto noted = up ? transaction->Execute(
                        "INSERT INTO schema_migrations (version, name, checksum)"
                        " VALUES ($1::bigint, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))",
                        {migration.version, migration.name, migration.up})
                  : transaction->Execute("DELETE FROM schema_migrations WHERE version = $1::bigint",
                                         {migration.version});
  if (!noted) return std::move(noted).error();
  return transaction->Commit();
}

base::Result<std::vector<Migration>> Migrations::ApplyMissing(
    const std::vector<MigrationState>& states, std::int64_t last) {
  std::vector<Migration> applied;
  for (const Migration& migration : migrations_) {
    if (migration.version > last) break;
    const bool there = std::any_of(states.begin(), states.end(), [&](const MigrationState& state) {
      return state.version == migration.version && state.applied_at;
    });
    if (there) continue;
    if (auto done = Apply(migration, true); !done) return std::move(done).error();
    applied.push_back(migration);
  }
  return applied;
}

base::Result<std::vector<Migration>> Migrations::TakeBack(const std::vector<MigrationState>& states,
                                                          int count) {
  std::vector<Migration> undone;
  for (auto state = states.rbegin(); state != states.rend() && count > 0; ++state) {
    if (!state->applied_at) continue;
    const auto migration =
        std::find_if(migrations_.begin(), migrations_.end(),
                     [&](const Migration& one) { return one.version == state->version; });
    if (auto done = Apply(*migration, false); !done) return std::move(done).error();
    undone.push_back(*migration);
    --count;
  }
  return undone;
}

base::Result<std::vector<Migration>> Migrations::Up(std::optional<std::int64_t> last) {
  return Locked([&](const std::vector<MigrationState>& states) {
    return ApplyMissing(states, last.value_or(std::numeric_limits<std::int64_t>::max()));
  });
}

base::Result<std::vector<Migration>> Migrations::Down(int count) {
  return Locked([&](const std::vector<MigrationState>& states) { return TakeBack(states, count); });
}

}  // namespace heliograph::postgres
