#include "device/ids.h"

#include <algorithm>

namespace heliograph::device {
namespace {

constexpr std::size_t kLongestId = 128;

bool IsIdByte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == ':' || c == '-';
}

base::Status CheckId(std::string_view text, const char* what) {
  const auto wrong = [&](const std::string& why) {
    return base::MakeError(base::ErrorCode::kInvalidArgument, std::string(what) + " " + why);
  };
  if (text.empty()) return wrong("is empty");
  if (text.size() > kLongestId) {
    return wrong("has " + std::to_string(text.size()) + " bytes, at most 128 are allowed");
  }
  const auto bad = std::find_if_not(text.begin(), text.end(), IsIdByte);
  if (bad != text.end()) {
    return wrong("has a byte at position " + std::to_string(bad - text.begin()) +
                 " that is not one of A-Z a-z 0-9 . _ : -");
  }
  return {};
}

}  // namespace

bool IsClientId(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId &&
         std::all_of(text.begin(), text.end(), IsIdByte);
}

base::Result<ClientId> ParseClientId(std::string_view text) {
  if (base::Status ok = CheckId(text, "the client id"); !ok) return std::move(ok).error();
  return ClientId(text);
}

base::Result<TenantId> ParseTenantId(std::string_view text) {
  if (base::Status ok = CheckId(text, "the tenant"); !ok) return std::move(ok).error();
  return TenantId(text);
}

std::string ToString(const LogPosition& position) {
  return std::to_string(position.partition) + ":" + std::to_string(position.offset);
}

}  // namespace heliograph::device
