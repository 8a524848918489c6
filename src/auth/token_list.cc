#include "auth/token_list.h"

#include "config/document.h"

namespace heliograph::auth {
namespace {

using config::Node;

base::Error At(const Node& node, const std::string& what) {
  return base::MakeError(base::ErrorCode::kInvalidArgument,
                         "line " + std::to_string(node.line) + ": " + what);
}

base::Result<std::string> ReadName(const Node& entry, std::string_view key) {
  const Node* value = entry.Find(key);
  if (value == nullptr || value->kind != Node::Kind::kScalar || !IsName(value->text)) {
    return At(value == nullptr ? entry : *value,
              "`" + std::string(key) + "` is not 1 to 128 bytes of A-Z a-z 0-9 . _ : -");
  }
  return value->text;
}

base::Status ReadOwner(const Node& entry, Principal& principal) {
  const Node* all = entry.Find("operator");
  const bool is_operator = all != nullptr && all->text == "true";
  if (all != nullptr && !is_operator && all->text != "false") {
    return At(*all, "`operator` is neither true nor false");
  }
  if (is_operator == (entry.Find("tenant") != nullptr)) {
    return At(entry, "needs either `tenant` or `operator: true`");
  }
  if (is_operator) return {};
  auto tenant = ReadName(entry, "tenant");
  if (!tenant) return std::move(tenant).error();
  principal.tenant = *std::move(tenant);
  return {};
}

base::Status ReadScopes(const Node& entry, Principal& principal) {
  const Node* scopes = entry.Find("scopes");
  if (scopes == nullptr || scopes->kind != Node::Kind::kList || scopes->items.empty()) {
    return At(entry, "`scopes` is not a list of scopes");
  }
  for (const Node& item : scopes->items) {
    const auto scope = ParseScope(item.text);
    if (!scope) return At(item, "'" + item.text + "' is not a scope");
    principal.scopes.insert(*scope);
  }
  return {};
}

base::Status CheckKeys(const Node& entry) {
  for (const auto& [name, value] : entry.members) {
    if (name != "name" && name != "sha256" && name != "tenant" && name != "operator" &&
        name != "scopes") {
      return At(value, "unknown key `" + name + "`");
    }
  }
  return {};
}

base::Result<Principal> ReadPrincipal(const Node& entry) {
  if (entry.kind != Node::Kind::kMap) return At(entry, "a token is not a map");
  if (base::Status keys = CheckKeys(entry); !keys) return std::move(keys).error();
  auto name = ReadName(entry, "name");
  if (!name) return std::move(name).error();
  Principal principal;
  principal.name = *std::move(name);
  if (base::Status owner = ReadOwner(entry, principal); !owner) return std::move(owner).error();
  if (base::Status scopes = ReadScopes(entry, principal); !scopes) return std::move(scopes).error();
  return principal;
}

}  // namespace

base::Result<TokenList> TokenList::Parse(const std::string& yaml) {
  const auto root = config::ParseDocument(yaml);
  if (!root) return root.error();
  const Node* list = root->Find("tokens");
  if (list == nullptr || list->kind != Node::Kind::kList || root->members.size() != 1) {
    return At(*root, "the file is not one list named `tokens`");
  }
  TokenList tokens;
  for (const Node& item : list->items) {
    auto principal = ReadPrincipal(item);
    if (!principal) return std::move(principal).error();
    const Node* hash = item.Find("sha256");
    const auto digest = hash == nullptr ? std::nullopt : ParseHex(hash->text);
    if (!digest) return At(item, "`sha256` is not 64 hexadecimal digits");
    for (const Entry& other : tokens.entries_) {
      if (other.principal.name == principal->name) {
        return At(item, "the name '" + principal->name + "' stands twice");
      }
      if (other.digest == *digest) return At(item, "the same token stands twice");
    }
    tokens.entries_.push_back({*digest, *std::move(principal)});
  }
  return tokens;
}

const Principal* TokenList::Find(std::string_view token) const {
  const Digest digest = Sha256(token);
  const Principal* found = nullptr;
  for (const Entry& entry : entries_) {
    if (EqualInConstantTime(entry.digest, digest)) found = &entry.principal;
  }
  return found;
}

}  // namespace heliograph::auth
