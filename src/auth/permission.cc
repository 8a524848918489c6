#include "auth/permission.h"

#include "json/json.h"

namespace heliograph::auth {
namespace {

base::Error NoAnswer(const std::string& why) {
  return base::MakeError(base::ErrorCode::kUnavailable,
                         "the user authorisation service answers " + why);
}

}  // namespace

std::string WriteQuestion(const Question& question) {
  std::string body = R"({"user":)";
  json::AppendString(body, question.user);
  body += R"(,"tenant":)";
  if (question.tenant) {
    json::AppendString(body, *question.tenant);
  } else {
    body += "null";
  }
  body += R"(,"directive":)";
  json::AppendString(body, question.directive);
  body += R"(,"client_ids":[)";
  for (const std::string& client_id : question.client_ids) {
    if (body.back() != '[') body += ',';
    json::AppendString(body, client_id);
  }
  return body + "]}";
}

base::Result<Permission> ReadPermission(std::string_view body) {
  const auto answer = json::Parse(body);
  if (!answer) return NoAnswer(answer.error().message);
  const auto allowed = (*answer).find("allowed");
  if (!(*answer).is_object() || allowed == (*answer).end()) return NoAnswer("without `allowed`");
  if (allowed->is_string() && allowed->get_ref<const std::string&>() == "all") {
    return Permission::ForAll();
  }
  if (!allowed->is_array()) return NoAnswer("neither a list nor \"all\" as `allowed`");
  std::unordered_set<std::string> ids;
  ids.reserve(allowed->size());
  for (const json::Value& each : *allowed) {
    if (!each.is_string()) return NoAnswer("a list `allowed` that holds more than client ids");
    ids.insert(each.get<std::string>());
  }
  return Permission(std::move(ids));
}

}  // namespace heliograph::auth
