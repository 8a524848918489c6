// A string with a meaning of its own: ids are types, so that one is never passed for another.
#pragma once

#include <compare>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace heliograph::base {

// `Tag` tells the kinds apart. Holds any bytes; a kind with a grammar has a parse function of its
// own beside it.
template <class Tag>
class StrongString {
 public:
  StrongString() = default;
  explicit StrongString(std::string value) : value_(std::move(value)) {}
  explicit StrongString(std::string_view value) : value_(value) {}
  explicit StrongString(const char* value) : value_(value) {}

  const std::string& str() const& noexcept { return value_; }
  std::string&& str() && noexcept { return std::move(value_); }
  std::string_view view() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }

  friend bool operator==(const StrongString&, const StrongString&) = default;
  friend auto operator<=>(const StrongString&, const StrongString&) = default;
  friend std::ostream& operator<<(std::ostream& out, const StrongString& id) {
    return out << id.value_;
  }

 private:
  std::string value_;
};

}  // namespace heliograph::base

template <class Tag>
struct std::hash<heliograph::base::StrongString<Tag>> {
  std::size_t operator()(const heliograph::base::StrongString<Tag>& id) const noexcept {
    return std::hash<std::string_view>{}(id.view());
  }
};
