// Log lines: fixed words first, then fields. Text on a terminal, one JSON object a line elsewhere.
//
//   const log::Logger log_("kafka");
//   log_.Warn("topic has another shape", {{"topic", name}, {"partitions", count}});
//
// No payload and no secret is ever a field. What may repeat goes through a RateLimit.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace heliograph::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kText, kJson };

// For the whole process; before any thread is started. Until then lines of kInfo and above go to
// stderr as text.
void SetUp(Level level, Format format, std::string_view program);

// A field's value. A string_view must live until the call returns, as it does in a call's argument
// list.
class Value {
 public:
  Value(std::string_view value) : value_(value) {}  // NOLINT: written as literals
  Value(const std::string& value) : value_(std::string_view(value)) {}  // NOLINT
  Value(const char* value) : value_(std::string_view(value)) {}         // NOLINT
  Value(bool value) : value_(value) {}                                  // NOLINT
  Value(double value) : value_(value) {}                                // NOLINT
  template <class T>
    requires std::is_integral_v<T> && (!std::is_same_v<T, bool>)
  Value(T value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT

  const std::variant<std::string_view, std::int64_t, double, bool>& get() const { return value_; }

 private:
  std::variant<std::string_view, std::int64_t, double, bool> value_;
};

struct Field {
  std::string_view name;
  Value value;
};

using Fields = std::initializer_list<Field>;

// Lets at most one event through per interval and counts those held back.
// Threads: any thread.
class RateLimit {
 public:
  explicit RateLimit(std::chrono::milliseconds interval) : interval_(interval) {}

  // True when the event may be logged; `suppressed` is then how many were held back since the last
  // one.
  bool Pass(std::uint64_t& suppressed);

 private:
  std::chrono::milliseconds interval_;
  std::atomic<std::int64_t> next_ns_{0};
  std::atomic<std::uint64_t> held_back_{0};
};

// Threads: any thread.
class Logger {
 public:
  explicit Logger(std::string_view component) : component_(component) {}  // the folder's name

  void Debug(std::string_view words, Fields fields = {}) const {
    Write(Level::kDebug, words, fields);
  }
  void Info(std::string_view words, Fields fields = {}) const {
    Write(Level::kInfo, words, fields);
  }
  void Warn(std::string_view words, Fields fields = {}) const {
    Write(Level::kWarn, words, fields);
  }
  void Error(std::string_view words, Fields fields = {}) const {
    Write(Level::kError, words, fields);
  }

  // As Warn, at most once per interval of `limit`; adds the field `suppressed` when some were held
  // back.
  void Warn(RateLimit& limit, std::string_view words, Fields fields = {}) const;
  void Error(RateLimit& limit, std::string_view words, Fields fields = {}) const;

 private:
  void Write(Level level, std::string_view words, Fields fields,
             std::uint64_t suppressed = 0) const;

  std::string component_;
};

}  // namespace heliograph::log
