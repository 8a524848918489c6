#include "ctl/selector.h"

namespace heliograph::ctl {
namespace {

base::Error Wrong(const std::string& why) {
  return base::MakeError(base::ErrorCode::kInvalidArgument, "--selector " + why);
}

}  // namespace

base::Result<json::Value> SelectorOf(const std::vector<std::string>& conditions) {
  json::Value selector = json::Value::object();
  for (const std::string& condition : conditions) {
    const std::size_t equals = condition.find('=');
    if (equals == 0 || equals == condition.npos) {
      return Wrong("takes NAME=VALUE, not '" + condition + "'");
    }
    const std::string name = condition.substr(0, equals);
    const std::string value = condition.substr(equals + 1);
    bool is_new = false;
    if (name == "tag") {
      const std::size_t colon = value.find(':');
      if (colon == 0 || colon == value.npos) {
        return Wrong("takes tag=KEY:VALUE, not '" + condition + "'");
      }
      is_new = selector["tags"].emplace(value.substr(0, colon), value.substr(colon + 1)).second;
    } else {
      is_new = selector.emplace(name, value).second;
    }
    if (!is_new) return Wrong("gives '" + condition.substr(0, equals) + "' twice");
  }
  return selector;
}

}  // namespace heliograph::ctl
