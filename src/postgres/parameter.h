// A value for $1, $2, … of a statement.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/strong_string.h"
#include "postgres/array.h"

namespace heliograph::postgres {

// Meant to be written in a call's argument list: strings and arrays are not copied and must outlive
// the call. A string with a NUL in it makes the statement fail with kInvalidArgument. JSON goes as
// text: `$1::jsonb`.
class Parameter {
 public:
  Parameter(std::nullopt_t) {}          // NOLINT: implicit, SQL's NULL
  Parameter(const std::string& value);  // NOLINT
  Parameter(const char* value);         // NOLINT
  Parameter(std::string_view value);    // NOLINT: copied, it may not end in NUL
  Parameter(base::Timestamp value);     // NOLINT
  Parameter(const Array& value) : value_(value.Binary()), binary_(true) {}  // NOLINT
  template <std::same_as<bool> T>
  Parameter(T value) : value_(value ? "t" : "f") {}  // NOLINT
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Parameter(T value) : value_(std::to_string(value)) {}  // NOLINT
  template <class Tag>
  Parameter(const base::StrongString<Tag>& value) : Parameter(value.str()) {}  // NOLINT
  template <class T>
  Parameter(const std::optional<T>& value)  // NOLINT
      : Parameter(value ? Parameter(*value) : Parameter(std::nullopt)) {}

  const char* data() const noexcept;  // null = NULL; text ends in NUL
  int length() const noexcept;        // of a binary value
  bool binary() const noexcept { return binary_; }
  bool valid() const noexcept { return valid_; }

 private:
  std::variant<std::monostate, const char*, std::string, std::string_view> value_;
  bool binary_ = false;
  bool valid_ = true;
};

}  // namespace heliograph::postgres
