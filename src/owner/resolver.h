// Who owns a device.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/ids.h"

namespace heliograph::owner {

using Owner = std::optional<device::TenantId>;  // nullopt: nobody is known to own it

// Threads: any thread.
class Resolver {
 public:
  virtual ~Resolver() = default;

  // The owner of each, in their order. kUnavailable: cannot be asked now; who is known already
  // stays.
  virtual base::Result<std::vector<Owner>> Resolve(
      std::span<const device::ClientId> client_ids) = 0;

  // Looks for news where that costs little; called about once a second.
  virtual void Refresh() = 0;

  // Another text whenever answers given before may be out of date, the same across restarts while
  // they are not.
  virtual std::string Revision() const = 0;

  // "" or why the answers may be out of date: for /readyz.
  virtual std::string Trouble() const = 0;
};

}  // namespace heliograph::owner
