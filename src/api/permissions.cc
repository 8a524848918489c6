#include "api/permissions.h"

namespace heliograph::api {

base::Result<std::vector<device::ClientId>> Permissions::Forbidden(
    const std::string& user, const std::optional<device::TenantId>& tenant,
    const action::Directive& directive, std::span<const device::ClientId> client_ids) const {
  std::vector<device::ClientId> forbidden;
  if (users_ == nullptr) return forbidden;
  auth::Question question;
  question.user = user;
  if (tenant) question.tenant = tenant->str();
  question.directive = directive.str();
  question.client_ids.reserve(client_ids.size());
  for (const device::ClientId& id : client_ids) question.client_ids.push_back(id.str());
  const auto permission = users_->Ask(question);
  if (!permission) return permission.error();
  for (const device::ClientId& id : client_ids) {
    if (!(*permission)->Includes(id.str())) forbidden.push_back(id);
  }
  return forbidden;
}

}  // namespace heliograph::api
