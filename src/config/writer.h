// The binder that lists settings: what the printer and the reference are written from. Threads: one
// thread.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace heliograph::config {

// One setting, or the beginning of a section.
struct Entry {
  std::string path;  // "mqtt.keepalive_s"
  std::string key;
  std::size_t depth = 0;
  bool is_section = false;
  std::string value;  // as YAML; secrets as ***
  std::string kind;   // "text", "whole number, 1 to 10", ...
  std::string help;
};

class Lister final : public Binder {
 public:
  void String(std::string& value, std::string_view key, std::string_view help) override;
  void Choice(std::string& value, std::string_view key, const std::vector<std::string>& allowed,
              std::string_view help) override;
  void Bool(bool& value, std::string_view key, std::string_view help) override;
  void Integer(std::int64_t& value, std::string_view key, Bounds<std::int64_t> bounds,
               std::string_view help) override;
  void Duration(std::chrono::milliseconds& value, std::string_view key,
                Bounds<std::chrono::milliseconds> bounds, std::string_view help) override;
  void StringList(std::vector<std::string>& value, std::string_view key,
                  std::string_view help) override;
  void StringMap(std::map<std::string, std::string>& value, std::string_view key,
                 std::string_view help) override;
  void SecretFile(base::Secret& value, std::string_view key, std::string_view help) override;
  void Require(bool ok, std::string_view message) override;

  const std::vector<Entry>& entries() const { return entries_; }

 protected:
  void Enter(std::string_view key, std::string_view help) override;
  void Leave() override;

 private:
  void Add(std::string_view key, std::string value, std::string kind, std::string_view help);
  std::string Path(std::string_view key) const;

  std::vector<std::string> path_;
  std::vector<Entry> entries_;
};

}  // namespace heliograph::config
