// Where PostgreSQL is, for the commands that need it themselves.
#pragma once

#include <string>

#include "base/result.h"
#include "postgres/config.h"

namespace CLI {
class App;
}  // namespace CLI

namespace heliograph::ctl {

struct PostgresOptions {
  std::string connection = postgres::Config{}.connection;
  std::string password_file;

  void Declare(CLI::App& command);
  // kInvalidArgument: the password file cannot be read.
  base::Result<postgres::Config> ToConfig() const;
};

}  // namespace heliograph::ctl
