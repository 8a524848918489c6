// What a user authorisation service is asked, and what it answers. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"

namespace heliograph::auth {

struct Question {
  std::string user;                   // the caller's name
  std::optional<std::string> tenant;  // nullopt = an operator
  std::string directive;              // which handler on the devices
  std::vector<std::string> client_ids;
};

// {"user": …, "tenant": … or null, "directive": …, "client_ids": […]}
std::string WriteQuestion(const Question& question);

// Threads: immutable.
class Permission {
 public:
  static Permission ForAll() { return {}; }
  explicit Permission(std::unordered_set<std::string> allowed) : allowed_(std::move(allowed)) {}

  // `client_id` is one of those that were asked for.
  bool Includes(const std::string& client_id) const {
    return !allowed_ || allowed_->contains(client_id);
  }
  std::size_t size() const { return allowed_ ? allowed_->size() : 0; }  // ids that it names

 private:
  Permission() = default;
  std::optional<std::unordered_set<std::string>> allowed_;  // nullopt = all
};

// {"allowed": […]} or {"allowed": "all"}. kUnavailable for all else: what cannot be read allows
// nothing, and is no refusal either.
base::Result<Permission> ReadPermission(std::string_view body);

}  // namespace heliograph::auth
