// The binder that fills settings from YAML and the environment. Threads: one thread.
#pragma once

#include <yaml-cpp/yaml.h>

#include <set>
#include <string>
#include <vector>

#include "config/config.h"

namespace heliograph::config {

class Reader final : public Binder {
 public:
  Reader(std::string file, std::string environment_prefix, const YAML::Node& root,
         const Environment& environment);

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

  // After binding: reports keys and overrides that nothing asked for, and returns all mistakes.
  std::vector<std::string> Finish();

 protected:
  void Enter(std::string_view key, std::string_view help) override;
  void Leave() override;

 private:
  // Where a value was found, for messages.
  struct Found {
    bool present = false;
    std::string text;   // a scalar's text
    YAML::Node node;    // undefined when it came from the environment
    std::string place;  // "ingest.yaml:12 mqtt.hosts" or "HELIOGRAPH_INGEST__MQTT__HOSTS"
  };

  Found Find(std::string_view key);
  Found FindScalar(std::string_view key);
  void Complain(const Found& found, const std::string& what);
  void ReadInteger(std::int64_t& value, const Found& found, Bounds<std::int64_t> bounds);
  std::string Path(std::string_view key) const;
  std::string Place(const YAML::Node& node, const std::string& path) const;
  void ReportUnknown(const YAML::Node& node, const std::string& path);

  std::string file_;
  std::string environment_prefix_;
  const Environment& environment_;
  std::vector<YAML::Node> nodes_;  // from the root to the open section
  std::vector<std::string> path_;
  std::set<std::string> known_;  // paths of settings and sections
  std::set<std::string> maps_;   // paths whose inner keys are free
  std::set<std::string> known_overrides_;
  std::vector<std::string> mistakes_;
  YAML::Node root_;
};

}  // namespace heliograph::config
