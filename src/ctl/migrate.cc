#include "ctl/migrate.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "base/rfc3339.h"
#include "json/json.h"
#include "postgres/migrations.h"

namespace heliograph::ctl {
namespace {

using base::Result;
using postgres::Migration;
using postgres::Migrations;
using postgres::MigrationState;

Result<Migrations> Open(const MigrateOptions& options) {
  auto migrations = postgres::ReadMigrations(options.folder);
  if (!migrations) return std::move(migrations).error();
  auto config = options.postgres.ToConfig();
  if (!config) return std::move(config).error();
  return Migrations::Open(*std::move(config), *std::move(migrations));
}

Result<ExitCode> Tell(const Result<std::vector<Migration>>& done, const char* verb,
                      const char* nothing, const Console& console) {
  if (!done) return done.error();
  if (console.json) {
    json::Value items = json::Value::array();
    for (const Migration& migration : *done) {
      items.push_back({{"version", migration.version}, {"name", migration.name}});
    }
    console.out << json::Write({{verb, items}}) << '\n';
    return ExitCode::kOk;
  }
  for (const Migration& migration : *done) {
    console.out << verb << ' ' << migration.version << ' ' << Printable(migration.name) << '\n';
  }
  if (done->empty()) console.out << nothing << '\n';
  return ExitCode::kOk;
}

const char* WordOf(const MigrationState& state) {
  if (state.file_missing) return "applied, but this version does not know it";
  if (state.altered) return "applied, but its file is another now";
  return state.applied_at ? "applied" : "missing";
}

bool IsFine(const MigrationState& state) {
  return state.applied_at && !state.altered && !state.file_missing;
}

}  // namespace

std::string MigrateOptions::DefaultMigrations() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path installed =
      self.parent_path().parent_path() / "share/heliograph/migrations";
  return !error && std::filesystem::is_directory(installed, error) ? installed.string()
                                                                   : "migrations";
}

Result<ExitCode> MigrateUp(const MigrateOptions& options, const Console& console) {
  auto migrations = Open(options);
  if (!migrations) return std::move(migrations).error();
  const auto done =
      migrations->Up(options.last > 0 ? std::optional<std::int64_t>(options.last) : std::nullopt);
  return Tell(done, "applied", "nothing to do: the schema is up to date", console);
}

Result<ExitCode> MigrateDown(const MigrateOptions& options, const Console& console) {
  if (!options.yes) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "down deletes what its tables hold; --yes says that this is meant");
  }
  auto migrations = Open(options);
  if (!migrations) return std::move(migrations).error();
  return Tell(migrations->Down(options.count), "undone", "nothing to do: nothing was applied",
              console);
}

Result<ExitCode> MigrateStatus(const MigrateOptions& options, const Console& console) {
  auto migrations = Open(options);
  if (!migrations) return std::move(migrations).error();
  const auto states = migrations->Status();
  if (!states) return states.error();
  bool fine = true;
  Table table({"VERSION", "NAME", "STATE", "SINCE"});
  json::Value items = json::Value::array();
  for (const MigrationState& state : *states) {
    fine = fine && IsFine(state);
    const std::string since = state.applied_at ? base::FormatRfc3339(*state.applied_at) : "";
    table.Add(
        {std::to_string(state.version), state.name, WordOf(state), since.empty() ? "-" : since});
    items.push_back({{"version", state.version},
                     {"name", state.name},
                     {"state", WordOf(state)},
                     {"applied_at", since.empty() ? json::Value() : json::Value(since)}});
  }
  if (console.json) {
    console.out << json::WriteIndented({{"up_to_date", fine}, {"migrations", items}}) << '\n';
  } else {
    table.Write(console.out);
  }
  return fine ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace heliograph::ctl
