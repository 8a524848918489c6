// Who owns a device.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "device/ids.h"

namespace heliograph::owner {

using Owner = std::optional<device::TenantId>;  // nullopt: nobody is known to own it

struct Answer {
  bool told = false;  // false: it cannot be told now, and who is known stays
  Owner owner = {};
  friend bool operator==(const Answer&, const Answer&) = default;
};

enum class Urgency {
  kConnecting,    // devices that connect: waits a moment for answers
  kInBackground,  // waits for nobody, and goes after those
};

struct Condition {
  std::string trouble;  // "" or why answers may be out of date or missing: for /readyz
  bool usable = true;   // false: somebody must act before it can be right again
};

// Threads: any thread.
class Resolver {
 public:
  virtual ~Resolver() = default;

  // The owner of each, in their order. What is not told now may be by the next time: it is asked
  // for meanwhile.
  virtual std::vector<Answer> Resolve(std::span<const device::ClientId> client_ids,
                                      Urgency urgency) = 0;

  // Looks for news where that costs little; called about once a second.
  virtual void Refresh() = 0;

  // Another text whenever answers given before may be out of date, the same across restarts while
  // they are not.
  virtual std::string Revision() const = 0;

  virtual Condition condition() const = 0;

  // How soon it is worth asking again about devices that nobody is known to own; nullopt: not
  // before Revision changes.
  virtual std::optional<std::chrono::milliseconds> retry() const { return std::nullopt; }

  // How many threads are wanted that stay in Serve until stop: those that ask somebody else.
  virtual std::size_t servers() const { return 0; }
  virtual void Serve(const std::stop_token&) {}
};

}  // namespace heliograph::owner
