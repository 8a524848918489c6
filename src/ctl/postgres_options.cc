#include "ctl/postgres_options.h"

#include <CLI/CLI.hpp>

#include "ctl/secret_file.h"

namespace heliograph::ctl {

void PostgresOptions::Declare(CLI::App& command) {
  command.add_option("--postgres", connection, "libpq's connection string or URL")
      ->envname("HELIOGRAPH_POSTGRES")
      ->capture_default_str()
      ->group("PostgreSQL");
  command
      .add_option("--postgres-password-file", password_file,
                  "A file that holds the password, where the connection string does not")
      ->group("PostgreSQL");
}

base::Result<postgres::Config> PostgresOptions::ToConfig() const {
  postgres::Config config;
  config.connection = connection;
  if (!password_file.empty()) {
    auto password = ReadSecretFile(password_file, "password");
    if (!password) return std::move(password).error();
    config.password = *std::move(password);
  }
  return config;
}

}  // namespace heliograph::ctl
