// JSON in and out. The value type is nlohmann's; this folder alone includes it.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heliograph::json {

using Value = nlohmann::json;

struct Limits {
  std::size_t max_depth = 64;  // arrays and objects inside each other
};

// What made a text unacceptable; each is a dead-letter reason or a problem detail of its own.
enum class Fault { kSyntax, kTooDeep, kDuplicateKey, kNumberRange };

struct ParseError {
  Fault fault = Fault::kSyntax;
  std::string message;  // with the byte offset where there is one
};

// Strict: one value (RFC 8259), valid UTF-8, no duplicate names in an object (RFC 7493,
// section 2.3), numbers that fit a 64-bit integer or a finite double. Memory and stack are bounded
// by the text's size and max_depth. Never throws.
class Parsed {
 public:
  Parsed(Value value) : value_(std::move(value)) {}                   // NOLINT
  Parsed(ParseError error) : error_(std::move(error)), ok_(false) {}  // NOLINT

  explicit operator bool() const noexcept { return ok_; }
  Value& operator*() noexcept { return value_; }
  const Value& operator*() const noexcept { return value_; }
  Value* operator->() noexcept { return &value_; }
  const Value* operator->() const noexcept { return &value_; }
  const ParseError& error() const noexcept { return error_; }

 private:
  Value value_;
  ParseError error_;
  bool ok_ = true;
};

Parsed Parse(std::string_view text, const Limits& limits = {});

// Compact; `&`, `<` and Unicode stay as they are; bytes that are not UTF-8 become U+FFFD, so it
// never throws.
std::string Write(const Value& value);
std::string WriteIndented(const Value& value);

// Appends one JSON string with its quotes, by the rules of Write: for who writes an object without
// building it first.
void AppendString(std::string& out, std::string_view text);

// Removes U+0000 from every string and name below `value`: PostgreSQL cannot store it.
void RemoveNul(Value& value);

}  // namespace heliograph::json
