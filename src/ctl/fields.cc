#include "ctl/fields.h"

namespace heliograph::ctl {

std::string Field(const json::Value& object, std::string_view name) {
  if (!object.is_object()) return "-";
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : json::Write(*found);
}

std::string TimeField(const json::Value& object, std::string_view name) {
  std::string time = Field(object, name);
  const std::size_t point = time.find('.');
  if (point == time.npos) return time;
  const std::size_t end = std::min(time.find_first_not_of("0123456789", point + 1), time.size());
  return time.erase(point, end - point);
}

json::Value ListField(const json::Value& object, std::string_view name) {
  if (!object.is_object()) return json::Value::array();
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : json::Value::array();
}

}  // namespace heliograph::ctl
