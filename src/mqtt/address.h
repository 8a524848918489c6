// From "host:port" to the addresses to connect to.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heliograph::mqtt {

struct HostPort {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 0;
};

// "broker.example.org:8883", "[::1]:8883". kInvalidArgument otherwise.
base::Result<HostPort> ParseHostPort(std::string_view text);

// The addresses of a host, as text, in the order in which they should be tried. The system's
// resolver has no limit of its own that we could set, so it runs on a thread, which is left behind
// when it does not answer in time.
base::Result<std::vector<std::string>> ResolveHost(const std::string& host,
                                                   std::chrono::milliseconds timeout);

}  // namespace heliograph::mqtt
