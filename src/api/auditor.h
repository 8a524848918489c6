// Tells the audit what was refused; what was accepted is told where it is stored.
#pragma once

#include <functional>
#include <string>

#include "api/guard.h"
#include "auth/principal.h"
#include "http/message.h"
#include "log/log.h"
#include "postgres/audit.h"

namespace heliograph::api {

postgres::Origin OriginOf(const http::Request& request, const auth::Principal& caller);

// Threads: any thread.
class Auditor {
 public:
  // `decision`: its deed is filled in; what else the handler knows of it.
  using Handler = std::function<http::Response(const http::Request&, const auth::Principal&,
                                               postgres::Decision& decision)>;

  explicit Auditor(postgres::Audit& audit) : audit_(audit) {}

  // The handler of what acts on devices, behind the guard: every refusal is told the audit, also
  // that of who lacks the scope.
  std::function<http::Response(const http::Request&)> Protect(const Guard& guard, auth::Scope scope,
                                                              std::string deed, Handler handler);

  // An answer of the 400s is a refusal; others are no decision, and nothing is written.
  // `decision`: what is known of it besides; its origin and reason are filled in here. Where it
  // cannot be stored, the log has it.
  void Judge(const http::Request& request, const auth::Principal& caller,
             const http::Response& response, postgres::Decision decision);

 private:
  postgres::Audit& audit_;
  const log::Logger log_{"api"};
};

}  // namespace heliograph::api
