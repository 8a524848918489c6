#include "config/writer.h"

#include <cstdio>

#include "config/units.h"

namespace heliograph::config {
namespace {

// A double-quoted YAML scalar that reads back as `text`.
std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if ((c >= 0 && c < ' ') || c == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Whether a free setting's name says that its value is not for everybody.
bool NamesSecret(const std::string& name) {
  for (const char* word : {"password", "secret", "token", "key.pem", "oauthbearer.config"}) {
    if (name.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

std::string Lister::Path(std::string_view key) const {
  std::string path;
  for (const std::string& part : path_) path += part + ".";
  return path.append(key);
}

void Lister::Add(std::string_view key, std::string value, std::string kind, std::string_view help) {
  entries_.push_back({Path(key), std::string(key), path_.size(), false, std::move(value),
                      std::move(kind), std::string(help)});
}

void Lister::String(std::string& value, std::string_view key, std::string_view help) {
  Add(key, Quoted(value), "text", help);
}

void Lister::Choice(std::string& value, std::string_view key,
                    const std::vector<std::string>& allowed, std::string_view help) {
  std::string kind;
  for (const std::string& one : allowed) kind += (kind.empty() ? "" : ", ") + one;
  Add(key, value, kind, help);
}

void Lister::Bool(bool& value, std::string_view key, std::string_view help) {
  Add(key, value ? "true" : "false", "true, false", help);
}

void Lister::Integer(std::int64_t& value, std::string_view key, Bounds<std::int64_t> bounds,
                     std::string_view help) {
  Add(key, std::to_string(value),
      std::to_string(bounds.least) + " to " + std::to_string(bounds.most), help);
}

void Lister::Duration(std::chrono::milliseconds& value, std::string_view key,
                      Bounds<std::chrono::milliseconds> bounds, std::string_view help) {
  const auto unit = UnitOf(key);
  Add(key, std::to_string(value / unit),
      std::to_string(bounds.least / unit) + " to " + std::to_string(bounds.most / unit), help);
}

void Lister::StringList(std::vector<std::string>& value, std::string_view key,
                        std::string_view help) {
  std::string list;
  for (const std::string& one : value) list += (list.empty() ? "" : ", ") + Quoted(one);
  Add(key, "[" + list + "]", "list", help);
}

void Lister::StringMap(std::map<std::string, std::string>& value, std::string_view key,
                       std::string_view help) {
  std::string map;
  for (const auto& [name, one] : value) {
    map +=
        (map.empty() ? "" : ", ") + Quoted(name) + ": " + Quoted(NamesSecret(name) ? "***" : one);
  }
  Add(key, "{" + map + "}", "map", help);
}

void Lister::SecretFile(base::Secret& value, std::string_view key, std::string_view help) {
  Add(key, value.empty() ? "\"\"" : "\"***\"", "path of a file that holds the secret", help);
}

void Lister::Require(bool, std::string_view) {}

void Lister::Enter(std::string_view key, std::string_view help) {
  entries_.push_back(
      {Path(key), std::string(key), path_.size(), true, "", "section", std::string(help)});
  path_.emplace_back(key);
}

void Lister::Leave() { path_.pop_back(); }

}  // namespace heliograph::config
