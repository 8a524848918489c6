#include "action/ids.h"

#include <algorithm>
#include <string>

#include "base/uuid.h"

namespace heliograph::action {
namespace {

constexpr std::size_t kLongestDirective = 128;

bool IsDirectiveByte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == ':' || c == '/' || c == '-';
}

char LowerHex(char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

ActionId NewActionId(base::Timestamp now) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string id = base::NewUuid();
  auto left = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count());
  for (const std::size_t at : {12, 11, 10, 9, 7, 6, 5, 4, 3, 2, 1, 0}) {
    id[at] = kHex[left & 0x0f];
    left >>= 4;
  }
  id[14] = '7';
  return ActionId(std::move(id));
}

base::Result<ActionId> ParseActionId(std::string_view text) {
  if (!base::IsUuid(text)) {
    return base::MakeError(base::ErrorCode::kInvalidArgument, "the action id is not a UUID");
  }
  std::string id(text);
  std::transform(id.begin(), id.end(), id.begin(), LowerHex);
  return ActionId(std::move(id));
}

base::Result<Directive> ParseDirective(std::string_view text) {
  if (text.empty() || text.size() > kLongestDirective ||
      !std::all_of(text.begin(), text.end(), IsDirectiveByte)) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "the directive is not 1 to 128 bytes of A-Z a-z 0-9 . _ : / -");
  }
  return Directive(text);
}

}  // namespace heliograph::action
