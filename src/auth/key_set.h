// The keys that an identity provider publishes: a JSON Web Key Set (RFC 7517, section 5).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "auth/public_key.h"
#include "base/result.h"

namespace heliograph::auth {

// Threads: immutable.
class KeySet {
 public:
  // Keys that cannot be used are passed over, as the standard wants it: providers publish keys for
  // other purposes too. kInvalidArgument: not JSON, not such a set, or none of its keys can be
  // used.
  static base::Result<KeySet> Parse(std::string_view json);

  // nullptr: there is none of that id. Of several with one id the first of that algorithm counts.
  const PublicKey* Find(std::string_view id, Algorithm algorithm) const;
  bool Has(std::string_view id) const;  // for any algorithm
  std::size_t size() const noexcept { return keys_.size(); }

  // One line for each key that was passed over: which, and why.
  const std::vector<std::string>& passed_over() const noexcept { return passed_over_; }

 private:
  std::vector<PublicKey> keys_;
  std::vector<std::string> passed_over_;
};

}  // namespace heliograph::auth
