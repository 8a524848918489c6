// Owner rules: which tenant a client id belongs to. Pure.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "device/ids.h"
#include "owner/resolver.h"

namespace heliograph::owner {

// `*` stands for any characters, also none; all others for themselves.
bool MatchesPattern(std::string_view pattern, std::string_view text);

// A rule that names a client id goes before every pattern; among those of a kind the first one
// counts. Threads: immutable.
class Rules {
 public:
  // YAML: `rules:`, a list of {client_id: "exact" or pattern: "glob with *", tenant: NAME}. An
  // empty list is fine. kInvalidArgument names the line.
  static base::Result<Rules> Parse(const std::string& yaml);

  Owner OwnerOf(const device::ClientId& client_id) const;
  std::size_t size() const { return exact_.size() + patterns_.size(); }

 private:
  struct Pattern {
    std::string glob;
    device::TenantId tenant;
  };

  std::unordered_map<device::ClientId, device::TenantId> exact_;
  std::vector<Pattern> patterns_;
};

}  // namespace heliograph::owner
