// Typed settings. A component declares each setting once, beside its class; that one declaration
// parses, checks, prints and documents it:
//
//   struct ProducerConfig {
//     std::string brokers = "127.0.0.1:9092";
//     std::chrono::milliseconds linger{5};
//     void Bind(config::Binder& binder) {
//       binder.String(brokers, "brokers", "Kafka's bootstrap servers, host:port, comma
//       separated."); binder.Duration(linger, "linger_ms", {0ms, 1s}, "How long a record waits for
//       company.");
//     }
//   };
//
// The member's initial value is the default. A key that holds a time ends in its unit: _ms, _s or
// _h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace heliograph::config {

template <class T>
struct Bounds {
  T least;
  T most;
};

// What visits a declaration: a reader, a printer or the writer of the reference. Threads: one
// thread.
class Binder {
 public:
  virtual ~Binder() = default;

  virtual void String(std::string& value, std::string_view key, std::string_view help) = 0;
  // One of `allowed`.
  virtual void Choice(std::string& value, std::string_view key,
                      const std::vector<std::string>& allowed, std::string_view help) = 0;
  virtual void Bool(bool& value, std::string_view key, std::string_view help) = 0;
  virtual void Integer(std::int64_t& value, std::string_view key, Bounds<std::int64_t> bounds,
                       std::string_view help) = 0;
  virtual void Duration(std::chrono::milliseconds& value, std::string_view key,
                        Bounds<std::chrono::milliseconds> bounds, std::string_view help) = 0;
  virtual void StringList(std::vector<std::string>& value, std::string_view key,
                          std::string_view help) = 0;
  virtual void StringMap(std::map<std::string, std::string>& value, std::string_view key,
                         std::string_view help) = 0;
  // The setting is a file's path; the value is the file's content without its last line end. "" =
  // none.
  virtual void SecretFile(base::Secret& value, std::string_view key, std::string_view help) = 0;

  template <class T>
  void Section(T& section, std::string_view key, std::string_view help) {
    Enter(key, help);
    section.Bind(*this);
    Leave();
  }

  // A rule over several settings, asked after all were read: reports `message` when `ok` is false.
  virtual void Require(bool ok, std::string_view message) = 0;

 protected:
  virtual void Enter(std::string_view key, std::string_view help) = 0;
  virtual void Leave() = 0;
};

}  // namespace heliograph::config
