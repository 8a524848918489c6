// Which addresses a call may go to, where somebody else chooses the URL. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sockaddr;

namespace heliograph::http_client {

// An IPv4 or IPv6 address. An IPv4 address and the same one mapped into IPv6 (::ffff:192.0.2.1) are
// one: the kernel connects to the same place. Threads: immutable.
class Address {
 public:
  // As inet_pton takes it: no port, zone, brackets, octal or decimal forms.
  static std::optional<Address> Parse(std::string_view text);
  // What a socket is about to be connected to; nullopt: neither IPv4 nor IPv6.
  static std::optional<Address> Of(const sockaddr& address);

  // Whether it is anybody's on the Internet: of those that IANA's registries of special-purpose
  // addresses do not call globally reachable none is, nor are multicast, the transition mechanisms
  // 6to4 and Teredo, or the address at which a cloud serves what only its guests may know. Of
  // NAT64 (RFC 6052) the IPv4 address inside counts.
  bool IsPublic() const;

 private:
  friend class Network;
  using Bytes = std::array<std::uint8_t, 16>;
  explicit Address(const Bytes& bytes) : bytes_(bytes) {}

  Bytes bytes_;  // IPv4: mapped
};

// Threads: immutable.
class Network {
 public:
  // "10.0.0.0/8", "fd00::/8"; a single address is a network of one. kInvalidArgument: neither, or
  // bits beyond the prefix are set, which is a slip.
  static base::Result<Network> Parse(std::string_view text);

  bool Contains(const Address& address) const;

 private:
  Network(const Address& first, std::size_t bits) : first_(first), bits_(bits) {}

  Address first_;
  std::size_t bits_;  // of 128
};

// Public addresses, and those of some networks besides. Threads: immutable.
class AddressPolicy {
 public:
  explicit AddressPolicy(std::vector<Network> allowed = {}) : allowed_(std::move(allowed)) {}
  // kInvalidArgument names the network that is none.
  static base::Result<AddressPolicy> Parse(const std::vector<std::string>& networks);

  bool Allows(const Address& address) const;

 private:
  std::vector<Network> allowed_;
};

}  // namespace heliograph::http_client
