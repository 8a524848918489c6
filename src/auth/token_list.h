// The tokens file: who may use the API. Only hashes stand in it, never a token.
//
//   tokens:
//     - {name: "billing", sha256: "<hex>", tenant: "acme", scopes: ["connections:read",
//     "actions:write"]}
//     - {name: "admin", sha256: "<hex>", operator: true, scopes: ["connections:read"]}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/principal.h"
#include "auth/sha256.h"
#include "base/result.h"

namespace heliograph::auth {

// Threads: immutable.
class TokenList {
 public:
  // kInvalidArgument with the line: not YAML, an unknown key, a missing or malformed value, a name
  // or hash given twice.
  static base::Result<TokenList> Parse(const std::string& yaml);

  // nullptr = nobody's. Takes the same time whoever's token it is.
  const Principal* Find(std::string_view token) const;
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    Digest digest{};
    Principal principal;
  };
  std::vector<Entry> entries_;
};

}  // namespace heliograph::auth
