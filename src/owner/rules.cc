#include "owner/rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/document.h"

namespace heliograph::owner {
namespace {

using config::Node;

constexpr std::size_t kLongestPattern = 256;

base::Error At(const Node& node, const std::string& what) {
  return base::MakeError(base::ErrorCode::kInvalidArgument,
                         "line " + std::to_string(node.line) + ": " + what);
}

bool IsPattern(std::string_view text) {
  if (text.empty() || text.size() > kLongestPattern) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '*' || device::IsClientId(std::string_view(&c, 1));
  });
}

struct Rule {
  bool exact = false;
  std::string name;  // a client id or a pattern
  device::TenantId tenant;
};

base::Result<Rule> ReadRule(const Node& item) {
  if (item.kind != Node::Kind::kMap) return At(item, "a rule is not a map");
  for (const auto& [name, value] : item.members) {
    if (name != "client_id" && name != "pattern" && name != "tenant") {
      return At(value, "unknown key `" + name + "`");
    }
    if (value.kind != Node::Kind::kScalar) return At(value, "`" + name + "` is not a text");
  }
  const Node* exact = item.Find("client_id");
  const Node* pattern = item.Find("pattern");
  const Node* tenant = item.Find("tenant");
  if ((exact == nullptr) == (pattern == nullptr)) {
    return At(item, "a rule needs either `client_id` or `pattern`");
  }
  if (tenant == nullptr) return At(item, "a rule needs a `tenant`");
  auto tenant_id = device::ParseTenantId(tenant->text);
  if (!tenant_id) return At(*tenant, tenant_id.error().message);
  if (exact != nullptr && !device::IsClientId(exact->text)) {
    return At(*exact, "`client_id` is not 1 to 128 bytes of A-Z a-z 0-9 . _ : -");
  }
  if (pattern != nullptr && !IsPattern(pattern->text)) {
    return At(*pattern, "`pattern` is not 1 to 256 bytes of A-Z a-z 0-9 . _ : - *");
  }
  return Rule{exact != nullptr, exact != nullptr ? exact->text : pattern->text,
              *std::move(tenant_id)};
}

}  // namespace

// The text after the last `*` that could be given more: the usual walk with one place to go back
// to.
bool MatchesPattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::optional<std::size_t> star;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star) {
      p = *star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

base::Result<Rules> Rules::Parse(const std::string& yaml) {
  const auto root = config::ParseDocument(yaml);
  if (!root) return root.error();
  const Node* list = root->Find("rules");
  if (list == nullptr || root->members.size() != 1 ||
      (list->kind != Node::Kind::kList && list->kind != Node::Kind::kNull)) {
    return At(*root, "the file is not one list named `rules`");
  }
  Rules rules;
  for (const Node& item : list->items) {
    auto rule = ReadRule(item);
    if (!rule) return std::move(rule).error();
    if (rule->exact) {
      rules.exact_.emplace(std::move(rule->name), std::move(rule->tenant));  // the first stays
    } else {
      rules.patterns_.push_back({std::move(rule->name), std::move(rule->tenant)});
    }
  }
  return rules;
}

Owner Rules::OwnerOf(const device::ClientId& client_id) const {
  if (const auto exact = exact_.find(client_id); exact != exact_.end()) return exact->second;
  for (const Pattern& pattern : patterns_) {
    if (MatchesPattern(pattern.glob, client_id.view())) return pattern.tenant;
  }
  return std::nullopt;
}

}  // namespace heliograph::owner
