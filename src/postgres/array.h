// Arrays as parameters, for set-based SQL: `... FROM unnest($1::text[], $2::bigint[]) AS t(name,
// size)`. They travel in PostgreSQL's binary format, so nothing is quoted and nothing can be quoted
// wrongly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace heliograph::postgres {

// Threads: one thread.
class Array {
 public:
  void AddNull();
  std::size_t size() const noexcept { return count_; }
  void Clear();  // keeps its memory
  // The array in the format of array_recv. Valid until the next change.
  std::string_view Binary() const noexcept { return bytes_; }

 protected:
  explicit Array(std::uint32_t element_type);
  void AddBytes(std::string_view value, std::string_view before = {});
  void AddNumber(std::uint64_t value, std::size_t bytes);

 private:
  void Count();

  std::uint32_t element_type_;
  std::uint32_t count_ = 0;
  std::string bytes_;
};

// A NUL or bytes that are not UTF-8 in a text are refused by the server: kInvalidArgument.
class TextArray : public Array {
 public:
  TextArray();
  void Add(std::string_view value) { AddBytes(value); }
  void AddOptional(const std::optional<std::string>& value) {
    value ? AddBytes(*value) : AddNull();
  }
};

// jsonb; each value is JSON text.
class JsonArray : public Array {
 public:
  JsonArray();
  void Add(std::string_view json);
};

class Int64Array : public Array {
 public:
  Int64Array();
  void Add(std::int64_t value) { AddNumber(static_cast<std::uint64_t>(value), 8); }
};

class Int32Array : public Array {
 public:
  Int32Array();
  void Add(std::int32_t value) { AddNumber(static_cast<std::uint32_t>(value), 4); }
};

class BoolArray : public Array {
 public:
  BoolArray();
  void Add(bool value) { AddNumber(value ? 1 : 0, 1); }
};

// timestamptz
class TimestampArray : public Array {
 public:
  TimestampArray();
  void Add(base::Timestamp value);
  void AddOptional(const std::optional<base::Timestamp>& value) { value ? Add(*value) : AddNull(); }
};

}  // namespace heliograph::postgres
