// All or nothing.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "postgres/connection.h"

namespace heliograph::postgres {

// READ COMMITTED. Rolls back in its destructor unless committed. The connection must outlive it,
// and is not used otherwise meanwhile. Threads: one thread.
class Transaction {
 public:
  static base::Result<Transaction> Begin(Connection& connection);
  Transaction(Transaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // After an error only a rollback is possible.
  base::Result<Rows> Execute(std::string_view sql, std::span<const Parameter> parameters = {});
  base::Result<Rows> Execute(std::string_view sql, std::initializer_list<Parameter> parameters) {
    return Execute(sql, std::span(parameters.begin(), parameters.size()));
  }

  // A retriable error leaves open whether it was committed: the caller must look.
  base::Status Commit();
  void Rollback() noexcept;

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}

  Connection* connection_;  // null once it has ended
};

}  // namespace heliograph::postgres
