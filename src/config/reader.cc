#include "config/reader.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <sstream>
#include <utility>

#include "config/units.h"

namespace heliograph::config {
namespace {

std::string UpperCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string Trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) {
    if (std::string clean = Trimmed(part); !clean.empty()) parts.push_back(std::move(clean));
  }
  return parts;
}

}  // namespace

Reader::Reader(std::string file, std::string environment_prefix, const YAML::Node& root,
               const Environment& environment)
    : file_(std::move(file)),
      environment_prefix_(std::move(environment_prefix)),
      environment_(environment),
      nodes_{root},
      root_(root) {}

std::string Reader::Path(std::string_view key) const {
  std::string path;
  for (const std::string& part : path_) path += part + ".";
  return path.append(key);
}

std::string Reader::Place(const YAML::Node& node, const std::string& path) const {
  return file_ + ":" + std::to_string(node.Mark().line + 1) + ": " + path;
}

Reader::Found Reader::Find(std::string_view key) {
  const std::string path = Path(key);
  known_.insert(path);
  std::string variable = environment_prefix_;
  for (const std::string& part : path_) variable += "__" + UpperCase(part);
  variable += "__" + UpperCase(std::string(key));
  known_overrides_.insert(variable);
  if (const auto override = environment_.find(variable); override != environment_.end()) {
    return {true, override->second, YAML::Node(YAML::NodeType::Undefined), variable};
  }
  const YAML::Node& section = nodes_.back();
  if (!section || !section.IsMap()) return {};
  const YAML::Node node = section[std::string(key)];
  if (!node || node.IsNull()) return {};
  return {true, node.IsScalar() ? node.Scalar() : "", node, Place(node, path)};
}

Reader::Found Reader::FindScalar(std::string_view key) {
  Found found = Find(key);
  if (found.present && found.node && !found.node.IsScalar()) {
    Complain(found, "must be a single value");
    found.present = false;
  }
  return found;
}

void Reader::Complain(const Found& found, const std::string& what) {
  mistakes_.push_back(found.place + " " + what);
}

void Reader::String(std::string& value, std::string_view key, std::string_view) {
  if (Found found = FindScalar(key); found.present) value = std::move(found.text);
}

void Reader::Choice(std::string& value, std::string_view key,
                    const std::vector<std::string>& allowed, std::string_view) {
  const Found found = FindScalar(key);
  if (!found.present) return;
  if (std::find(allowed.begin(), allowed.end(), found.text) == allowed.end()) {
    std::string all;
    for (const std::string& one : allowed) all += (all.empty() ? "" : ", ") + one;
    return Complain(found, "is '" + found.text + "', must be one of: " + all);
  }
  value = found.text;
}

void Reader::Bool(bool& value, std::string_view key, std::string_view) {
  const Found found = FindScalar(key);
  if (!found.present) return;
  if (found.text != "true" && found.text != "false") {
    return Complain(found, "is '" + found.text + "', must be true or false");
  }
  value = found.text == "true";
}

void Reader::ReadInteger(std::int64_t& value, const Found& found, Bounds<std::int64_t> bounds) {
  std::int64_t number = 0;
  const char* end = found.text.data() + found.text.size();
  const auto parsed = std::from_chars(found.text.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || found.text.empty()) {
    return Complain(found, "is '" + found.text + "', must be a whole number");
  }
  if (number < bounds.least || number > bounds.most) {
    return Complain(found, "is " + found.text + ", must be from " + std::to_string(bounds.least) +
                               " to " + std::to_string(bounds.most));
  }
  value = number;
}

void Reader::Integer(std::int64_t& value, std::string_view key, Bounds<std::int64_t> bounds,
                     std::string_view) {
  if (const Found found = FindScalar(key); found.present) ReadInteger(value, found, bounds);
}

void Reader::Duration(std::chrono::milliseconds& value, std::string_view key,
                      Bounds<std::chrono::milliseconds> bounds, std::string_view) {
  const Found found = FindScalar(key);
  if (!found.present) return;
  const auto unit = UnitOf(key);
  std::int64_t number = value / unit;
  ReadInteger(number, found, {bounds.least / unit, bounds.most / unit});
  value = number * unit;
}

void Reader::StringList(std::vector<std::string>& value, std::string_view key, std::string_view) {
  const Found found = Find(key);
  if (!found.present) return;
  if (!found.node || found.node.IsScalar()) {
    value = SplitAtCommas(found.text);
    return;
  }
  if (!found.node.IsSequence()) return Complain(found, "must be a list");
  value.clear();
  for (const YAML::Node& element : found.node) {
    if (!element.IsScalar()) return Complain(found, "must be a list of single values");
    value.push_back(element.Scalar());
  }
}

void Reader::StringMap(std::map<std::string, std::string>& value, std::string_view key,
                       std::string_view) {
  maps_.insert(Path(key));
  const Found found = Find(key);
  if (!found.present) return;
  if (!found.node) {  // the environment: a=1,b=2
    value.clear();
    for (const std::string& pair : SplitAtCommas(found.text)) {
      const auto equals = pair.find('=');
      if (equals == std::string::npos) return Complain(found, "must be name=value,name=value");
      value[Trimmed(pair.substr(0, equals))] = Trimmed(pair.substr(equals + 1));
    }
    return;
  }
  if (!found.node.IsMap()) return Complain(found, "must be a map of name: value");
  value.clear();
  for (const auto& member : found.node) {
    if (!member.second.IsScalar()) return Complain(found, "must be a map of name: single value");
    value[member.first.Scalar()] = member.second.Scalar();
  }
}

void Reader::SecretFile(base::Secret& value, std::string_view key, std::string_view) {
  const Found found = FindScalar(key);
  if (!found.present || found.text.empty()) return;
  std::ifstream file(found.text, std::ios::binary);
  std::stringstream content;
  if (!file || !(content << file.rdbuf())) {
    return Complain(found, "names the file '" + found.text + "', which cannot be read or is empty");
  }
  std::string text = content.str();
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  value = base::Secret(std::move(text));
}

void Reader::Require(bool ok, std::string_view message) {
  if (ok) return;
  const std::string path = Path("");
  mistakes_.push_back((file_.empty() ? "settings" : file_) + ": " + path +
                      (path.empty() ? "" : " ") + std::string(message));
}

void Reader::Enter(std::string_view key, std::string_view) {
  known_.insert(Path(key));
  YAML::Node inner(YAML::NodeType::Undefined);
  const YAML::Node& section = nodes_.back();
  if (section && section.IsMap()) {
    if (const YAML::Node found = section[std::string(key)]; found && !found.IsNull()) {
      if (found.IsMap()) {
        inner.reset(found);
      } else {
        mistakes_.push_back(Place(found, Path(key)) + " must be a section with keys of its own");
      }
    }
  }
  nodes_.push_back(inner);
  path_.emplace_back(key);
}

void Reader::Leave() {
  nodes_.pop_back();
  path_.pop_back();
}

void Reader::ReportUnknown(const YAML::Node& node, const std::string& path) {
  std::set<std::string> seen;
  for (const auto& member : node) {
    const std::string name = member.first.IsScalar() ? member.first.Scalar() : "?";
    const std::string inner = path.empty() ? name : path + "." + name;
    if (!seen.insert(name).second) {
      mistakes_.push_back(Place(member.first, inner) + " is given twice");
    }
    if (!known_.contains(inner)) {
      mistakes_.push_back(Place(member.first, inner) + " is not a setting");
    } else if (member.second.IsMap() && !maps_.contains(inner)) {
      ReportUnknown(member.second, inner);
    }
  }
}

std::vector<std::string> Reader::Finish() {
  if (root_ && root_.IsMap()) {
    ReportUnknown(root_, "");
  } else if (root_ && !root_.IsNull()) {
    mistakes_.push_back(file_ + ":1: the file must hold settings as `key: value`");
  }
  for (const auto& [name, value] : environment_) {
    if (name.starts_with(environment_prefix_ + "__") && !known_overrides_.contains(name)) {
      mistakes_.push_back(name + " is not a setting (from the environment)");
    }
  }
  return std::move(mistakes_);
}

}  // namespace heliograph::config
