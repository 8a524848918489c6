// Settings of every kind, and files to read them from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/secret.h"
#include "config/config.h"

namespace heliograph::config::testing {

struct Broker {
  std::string brokers = "127.0.0.1:9092";
  std::chrono::milliseconds linger{5};
  std::chrono::milliseconds retention{std::chrono::hours(48)};
  std::map<std::string, std::string> properties;

  void Bind(Binder& binder) {
    using std::chrono::hours;
    using std::chrono::milliseconds;
    binder.String(brokers, "brokers", "Bootstrap servers.");
    binder.Duration(linger, "linger_ms", {milliseconds(0), milliseconds(1000)},
                    "How long a record waits for company.");
    binder.Duration(retention, "retention_h", {hours(1), hours(1000)},
                    "How long records are kept.");
    binder.StringMap(properties, "properties", "Passed on to the library.");
  }
};

struct Settings {
  std::string prefix = "heliograph";
  std::string format = "auto";
  bool strict = false;
  std::int64_t window = 100;
  std::vector<std::string> hosts = {"localhost:8884"};
  base::Secret password;
  Broker kafka;

  void Bind(Binder& binder) {
    binder.String(prefix, "topic_prefix", "Begins every topic.");
    binder.Choice(format, "format", {"auto", "text", "json"}, "How it looks.");
    binder.Bool(strict, "strict", "Whether to be strict.");
    binder.Integer(window, "window", {1, 1000}, "Messages at a time.");
    binder.StringList(hosts, "hosts", "Whom to ask.");
    binder.SecretFile(password, "password_file", "File with the password.");
    binder.Section(kafka, "kafka", "Kafka.");
    binder.Require(prefix != "forbidden", "topic_prefix must not be forbidden");
  }
};

// A folder of its own, gone at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "heliograph-config-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string Write(const std::string& name, const std::string& content) const {
    const std::string path = path_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline BindFunction BindTo(Settings& settings) {
  return [&settings](Binder& binder) { settings.Bind(binder); };
}

}  // namespace heliograph::config::testing
