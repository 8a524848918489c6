// Owns one C object; Free is called on it once.
#pragma once

#include <memory>

namespace heliograph::base {

template <auto Free>
struct Freer {
  void operator()(auto* object) const noexcept { Free(object); }
};

template <class T, auto Free>
using UniqueHandle = std::unique_ptr<T, Freer<Free>>;

}  // namespace heliograph::base
