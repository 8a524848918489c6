// What a user may, asked of the platform's own service in the words of this folder.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "action/ids.h"
#include "auth/user_authoriser.h"
#include "base/result.h"
#include "device/ids.h"

namespace heliograph::api {

// Threads: any thread.
class Permissions {
 public:
  // `users` null: nobody is asked, and nothing is forbidden.
  explicit Permissions(auth::UserAuthoriser* users) : users_(users) {}

  // Whether anybody is asked.
  bool asks() const { return users_ != nullptr; }

  // Of the devices those that the user may not act on, in their order. Errors as
  // auth::UserAuthoriser's.
  base::Result<std::vector<device::ClientId>> Forbidden(
      const std::string& user, const std::optional<device::TenantId>& tenant,
      const action::Directive& directive, std::span<const device::ClientId> client_ids) const;

 private:
  auth::UserAuthoriser* const users_;
};

}  // namespace heliograph::api
