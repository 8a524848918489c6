// A database with the project's own tables, in a schema of the test's own.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include "integration/postgres/database.h"
#include "postgres/migrations.h"
#include "postgres/transaction.h"

namespace heliograph::recorder {

// Threads: one thread.
class Database {
 public:
  explicit Database(const std::string& schema) : config_(postgres::TestConfig()) {
    postgres::Connection admin = postgres::Connect(config_);
    postgres::Must(admin.ExecuteScript("DROP SCHEMA IF EXISTS " + schema +
                                       " CASCADE; CREATE SCHEMA " + schema));
    config_.connection += config_.connection.find('?') == std::string::npos ? "?" : "&";
    config_.connection += "options=-csearch_path%3D" + schema;
    auto files =
        postgres::ReadMigrations(std::filesystem::path(HELIOGRAPH_SOURCE_DIR) / "migrations");
    if (!files) throw std::runtime_error(files.error().message);
    auto migrations = postgres::Migrations::Open(config_, *std::move(files));
    if (!migrations) throw std::runtime_error(migrations.error().message);
    const auto applied = migrations->Up();
    if (!applied) throw std::runtime_error(applied.error().message);
  }

  const postgres::Config& config() const { return config_; }
  postgres::Connection Connect() const { return postgres::Connect(config_); }

 private:
  postgres::Config config_;
};

inline postgres::Transaction Begin(postgres::Connection& connection) {
  auto begun = postgres::Transaction::Begin(connection);
  if (!begun) throw std::runtime_error(begun.error().message);
  return *std::move(begun);
}

inline void Must(const base::Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

}  // namespace heliograph::recorder
