// A string that is not shown: it prints as ***, and only Reveal() hands it out.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace heliograph::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  const std::string& Reveal() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }

  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "***"; }

 private:
  std::string value_;
};

}  // namespace heliograph::base
