#include "owner/reply.h"

#include "http_client/breaker.h"
#include "json/json.h"

namespace heliograph::owner {

Reply ReadReply(int status, std::string_view body) {
  using Kind = Reply::Kind;
  if (status == 404) return {.kind = Kind::kNobody};
  if (status != 200) {
    return {.kind = http_client::IsAboutTheRequest(status) ? Kind::kRefused : Kind::kWrong,
            .why = "it answers " + std::to_string(status)};
  }
  const auto answer = json::Parse(body);
  if (!answer || !answer->is_object()) {
    return {.kind = Kind::kWrong, .why = "it answers 200 without a JSON object"};
  }
  const auto tenant = answer->find("tenant");
  if (tenant == answer->end()) {
    return {.kind = Kind::kWrong, .why = "it answers 200 without `tenant`"};
  }
  if (tenant->is_null()) return {.kind = Kind::kNobody};
  if (!tenant->is_string()) {
    return {.kind = Kind::kWrong, .why = "it answers a `tenant` that is no text"};
  }
  auto id = device::ParseTenantId(tenant->get_ref<const std::string&>());
  // Of this device it says something that cannot be; of others it may not.
  if (!id) return {.kind = Kind::kRefused, .why = "it answers that " + id.error().message};
  return {.kind = Kind::kOwned, .owner = *std::move(id)};
}

}  // namespace heliograph::owner
