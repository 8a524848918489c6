#include "config/document.h"

#include <yaml-cpp/yaml.h>

namespace heliograph::config {
namespace {

constexpr int kDeepest = 16;

base::Error At(const YAML::Node& yaml, const std::string& what) {
  return base::MakeError(base::ErrorCode::kInvalidArgument,
                         "line " + std::to_string(yaml.Mark().line + 1) + ": " + what);
}

base::Result<Node> Convert(const YAML::Node& yaml, int depth);

base::Status ConvertMembers(const YAML::Node& yaml, int depth, Node& node) {
  for (const auto& member : yaml) {
    if (!member.first.IsScalar()) return At(member.first, "a name is not a text");
    const std::string& name = member.first.Scalar();
    if (node.Find(name) != nullptr) return At(member.first, "'" + name + "' stands twice");
    auto value = Convert(member.second, depth + 1);
    if (!value) return std::move(value).error();
    node.members.push_back({name, *std::move(value)});
  }
  return {};
}

base::Status ConvertItems(const YAML::Node& yaml, int depth, Node& node) {
  for (const YAML::Node& item : yaml) {
    auto value = Convert(item, depth + 1);
    if (!value) return std::move(value).error();
    node.items.push_back(*std::move(value));
  }
  return {};
}

base::Result<Node> Convert(const YAML::Node& yaml, int depth) {
  if (depth > kDeepest) return At(yaml, "deeper than 16 levels");
  Node node;
  node.line = yaml.Mark().line + 1;
  base::Status status;
  if (yaml.IsScalar()) {
    node.kind = Node::Kind::kScalar;
    node.text = yaml.Scalar();
  } else if (yaml.IsSequence()) {
    node.kind = Node::Kind::kList;
    status = ConvertItems(yaml, depth, node);
  } else if (yaml.IsMap()) {
    node.kind = Node::Kind::kMap;
    status = ConvertMembers(yaml, depth, node);
  }
  if (!status) return std::move(status).error();
  return node;
}

}  // namespace

const Node* Node::Find(std::string_view name) const {
  for (const auto& [member, value] : members) {
    if (member == name) return &value;
  }
  return nullptr;
}

base::Result<Node> ParseDocument(const std::string& yaml) {
  try {
    return Convert(YAML::Load(yaml), 0);
  } catch (const YAML::Exception& error) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

}  // namespace heliograph::config
