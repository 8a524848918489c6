// Tells who presents a token. One implementation per kind of token.
#pragma once

#include <string_view>

#include "auth/principal.h"
#include "base/result.h"

namespace heliograph::auth {

// Threads: any thread.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // kUnauthenticated: nobody whom we know. kUnavailable: it cannot be told now.
  virtual base::Result<Principal> Authenticate(std::string_view token) = 0;
};

}  // namespace heliograph::auth
