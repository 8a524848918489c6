#include "action/members.h"

#include <algorithm>
#include <utility>

namespace heliograph::action {
namespace {

constexpr std::size_t kLongestLevel = 256;

}  // namespace

const json::Value* FindAny(const json::Value& object, const char* name) {
  const auto member = object.find(name);
  return member == object.end() ? nullptr : &*member;
}

const json::Value* Find(const json::Value& object, const char* name) {
  const json::Value* member = FindAny(object, name);
  return member == nullptr || member->is_null() ? nullptr : member;
}

std::string PointerLevel(std::string_view name) {
  std::string level;
  for (const char c : name.substr(0, kLongestLevel)) {
    if (c == '~') {
      level += "~0";
    } else if (c == '/') {
      level += "~1";
    } else {
      level += c;
    }
  }
  return level;
}

Fault ReadClientIds(const json::Value& list, const std::string& field, std::size_t most,
                    std::vector<device::ClientId>& ids) {
  if (!list.is_array()) return RequestFault{field, "it is not an array of client ids"};
  if (list.size() > most) {
    return RequestFault{field, std::to_string(list.size()) + " client ids; at most " +
                                   std::to_string(most) + " are allowed"};
  }
  ids.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string level = field + '/' + std::to_string(i);
    if (!list[i].is_string()) return RequestFault{level, "the client id is not a string"};
    auto id = device::ParseClientId(list[i].get_ref<const std::string&>());
    if (!id) return RequestFault{level, id.error().message};
    ids.push_back(*std::move(id));
  }
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end()) {
    return RequestFault{field, "the client id '" + twice->str() + "' stands twice"};
  }
  return std::nullopt;
}

}  // namespace heliograph::action
