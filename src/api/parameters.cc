#include "api/parameters.h"

#include <algorithm>
#include <charconv>

#include "api/problems.h"
#include "base/rfc3339.h"

namespace heliograph::api {
namespace {

constexpr std::int64_t kDefaultLimit = 100;
constexpr std::int64_t kMostLimit = 1000;
constexpr std::size_t kLongestText = 256;
constexpr std::size_t kMostTags = 8;

bool Contains(std::initializer_list<std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Parameters::Parameters(const http::Request& request, std::initializer_list<std::string_view> known,
                       std::initializer_list<std::string_view> repeatable)
    : request_(request) {
  for (const auto& [name, value] : request.query) {
    if (!Contains(known, name) && !Contains(repeatable, name)) {
      Refuse(name.substr(0, kLongestText), "is not known here");
    }
    const auto times = std::count_if(request.query.begin(), request.query.end(),
                                     [&](const auto& other) { return other.first == name; });
    if (times > 1 && !Contains(repeatable, name)) Refuse(name, "stands more than once");
  }
}

void Parameters::Refuse(std::string_view name, std::string_view why) {
  if (!fault_) fault_ = InvalidParameter(name, why);
}

std::optional<std::string_view> Parameters::Find(std::string_view name) const {
  return fault_ ? std::nullopt : request_.Query(name);
}

std::int64_t Parameters::Limit() {
  const auto text = Find("limit");
  if (!text) return kDefaultLimit;
  std::int64_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (error != std::errc() || end != text->data() + text->size() || limit < 1 ||
      limit > kMostLimit) {
    Refuse("limit", "is not a whole number from 1 to 1000");
  }
  return limit;
}

std::optional<std::string_view> Parameters::Text(std::string_view name) {
  const auto text = Find(name);
  if (text && (text->empty() || text->size() > kLongestText))
    Refuse(name, "has not 1 to 256 bytes");
  return text;
}

std::optional<base::Timestamp> Parameters::Time(std::string_view name) {
  const auto text = Find(name);
  if (!text) return std::nullopt;
  const auto time = base::ParseRfc3339(*text);
  if (time && *time >= kFirstTime) return *time;
  Refuse(name, time ? "is before the year 1" : "is not an RFC 3339 time");
  return std::nullopt;
}

std::optional<device::ConnectionState> Parameters::State(std::string_view name) {
  using enum device::ConnectionState;
  const auto text = Find(name);
  if (!text) return std::nullopt;
  for (const auto state : {kOnline, kOffline, kUnknown}) {
    if (device::ConnectionStateName(state) == *text) return state;
  }
  Refuse(name, "is not one of online, offline, unknown");
  return std::nullopt;
}

std::optional<device::TenantId> Parameters::Tenant(std::string_view name) {
  const auto text = Find(name);
  if (!text) return std::nullopt;
  auto tenant = device::ParseTenantId(*text);
  if (tenant) return *std::move(tenant);
  Refuse(name, "is not 1 to 128 bytes of A-Z a-z 0-9 . _ : -");
  return std::nullopt;
}

std::optional<action::ActionId> Parameters::ActionId(std::string_view name) {
  const auto text = Find(name);
  if (!text) return std::nullopt;
  auto id = action::ParseActionId(*text);
  if (id) return *std::move(id);
  Refuse(name, "is not a UUID");
  return std::nullopt;
}

std::optional<action::GroupName> Parameters::GroupName(std::string_view name) {
  const auto text = Find(name);
  if (!text) return std::nullopt;
  auto group = action::ParseGroupName(*text);
  if (!group) {
    Refuse(name, "is not the name of a group");
    return std::nullopt;
  }
  return *std::move(group);
}

std::string Parameters::ClientIdPrefix(std::string_view name) {
  const auto text = Find(name);
  if (!text) return "";
  if (!device::IsClientId(*text)) Refuse(name, "is not 1 to 128 bytes of A-Z a-z 0-9 . _ : -");
  return std::string(*text);
}

std::vector<std::pair<std::string, std::string>> Parameters::Tags(std::string_view name) {
  std::vector<std::pair<std::string, std::string>> tags;
  if (fault_) return tags;
  for (const auto& [each, value] : request_.query) {
    if (each != name) continue;
    const auto colon = value.find(':');
    if (colon == std::string::npos || colon == 0) {
      Refuse(name, "is not key:value");
      return tags;
    }
    tags.emplace_back(value.substr(0, colon), value.substr(colon + 1));
  }
  if (tags.size() > kMostTags) Refuse(name, "stands more than 8 times");
  return tags;
}

}  // namespace heliograph::api
