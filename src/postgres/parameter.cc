#include "postgres/parameter.h"

#include "base/rfc3339.h"

namespace heliograph::postgres {

Parameter::Parameter(const std::string& value)
    : value_(value.c_str()), valid_(value.find('\0') == std::string::npos) {}

Parameter::Parameter(const char* value) : value_(value) {}

Parameter::Parameter(std::string_view value)
    : value_(std::string(value)), valid_(value.find('\0') == std::string_view::npos) {}

Parameter::Parameter(base::Timestamp value) : value_(base::FormatRfc3339(value)) {}

const char* Parameter::data() const noexcept {
  if (const auto* pointer = std::get_if<const char*>(&value_)) return *pointer;
  if (const auto* text = std::get_if<std::string>(&value_)) return text->c_str();
  if (const auto* bytes = std::get_if<std::string_view>(&value_)) return bytes->data();
  return nullptr;
}

int Parameter::length() const noexcept {
  const auto* bytes = std::get_if<std::string_view>(&value_);
  return bytes == nullptr ? 0 : static_cast<int>(bytes->size());
}

}  // namespace heliograph::postgres
