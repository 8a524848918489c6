// A YAML file that holds data, not settings: a list of tokens, of rules. Plain values, so that no
// reader sees the YAML library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heliograph::config {

struct Member;

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  std::string text;             // of a scalar
  std::vector<Node> items;      // of a list
  std::vector<Member> members;  // of a map, in the order of the file; names are unique
  int line = 0;                 // from 1

  const Node* Find(std::string_view name) const;  // nullptr: no such member, or not a map
};

struct Member {
  std::string name;
  Node value;
};

// kInvalidArgument: not YAML, deeper than 16 levels, a name that stands twice in a map; tells the
// line.
base::Result<Node> ParseDocument(const std::string& yaml);

}  // namespace heliograph::config
