#include "postgres/transaction.h"

#include <cassert>

namespace heliograph::postgres {

base::Result<Transaction> Transaction::Begin(Connection& connection) {
  if (auto begun = connection.Execute("BEGIN"); !begun) return std::move(begun).error();
  return Transaction(connection);
}

Transaction::~Transaction() { Rollback(); }

base::Result<Rows> Transaction::Execute(std::string_view sql,
                                        std::span<const Parameter> parameters) {
  assert(connection_ != nullptr);
  return connection_->Execute(sql, parameters);
}

base::Status Transaction::Commit() {
  assert(connection_ != nullptr);
  Connection* connection = std::exchange(connection_, nullptr);
  auto committed = connection->Execute("COMMIT");
  if (!committed) {
    if (connection->healthy() && connection->in_transaction()) connection->lost_ = true;
    return std::move(committed).error();
  }
  // COMMIT of a transaction in which something failed answers ROLLBACK.
  if (committed->command() != "COMMIT") {
    return base::MakeError(base::ErrorCode::kInternal, "a failed transaction was to be committed");
  }
  return {};
}

void Transaction::Rollback() noexcept {
  Connection* connection = std::exchange(connection_, nullptr);
  if (connection == nullptr || !connection->healthy()) return;
  if (!connection->Execute("ROLLBACK")) connection->lost_ = true;
}

}  // namespace heliograph::postgres
