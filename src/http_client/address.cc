#include "http_client/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace heliograph::http_client {
namespace {

constexpr std::size_t kMappedBits = 96;  // of the prefix that an IPv4 address has in IPv6

bool AreEqual(const std::uint8_t* one, const std::uint8_t* other, std::size_t bits) {
  if (!std::equal(one, one + bits / 8, other)) return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xff << (8 - bits % 8);
  return ((one[bits / 8] ^ other[bits / 8]) & mask) == 0;
}

Network Known(const char* text) { return *Network::Parse(text); }

bool IsInAny(const std::vector<Network>& networks, const Address& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.Contains(address); });
}

// IANA's registry of special-purpose addresses (RFC 6890), and what it does not list.
const std::vector<Network>& NotPublic4() {
  static const std::vector<Network> kNetworks{
      Known("0.0.0.0/8"),        // this host: the kernel takes 0.0.0.0 for loopback
      Known("10.0.0.0/8"),       // private
      Known("100.64.0.0/10"),    // carrier-grade NAT; a cloud's metadata at 100.100.100.200
      Known("127.0.0.0/8"),      // loopback
      Known("168.63.129.16"),    // public by its number, but Azure's own host to each guest
      Known("169.254.0.0/16"),   // link-local; most clouds' metadata
      Known("172.16.0.0/12"),    // private
      Known("192.0.0.0/24"),     // protocol assignments; a cloud's metadata at 192.0.0.192
      Known("192.0.2.0/24"),     // documentation
      Known("192.88.99.0/24"),   // 6to4 relays
      Known("192.168.0.0/16"),   // private
      Known("198.18.0.0/15"),    // benchmarks
      Known("198.51.100.0/24"),  // documentation
      Known("203.0.113.0/24"),   // documentation
      Known("224.0.0.0/4"),      // multicast
      Known("240.0.0.0/4"),      // reserved; broadcast
  };
  return kNetworks;
}

// What is special in 2000::/3.
const std::vector<Network>& NotPublic6() {
  static const std::vector<Network> kNetworks{
      Known("2001::/23"),      // protocol assignments; Teredo, which has an IPv4 address inside
      Known("2001:db8::/32"),  // documentation
      Known("2002::/16"),      // 6to4: any IPv4 address inside
      Known("3fff::/20"),      // documentation
  };
  return kNetworks;
}

}  // namespace

std::optional<Address> Address::Parse(std::string_view text) {
  const std::string name(text);
  if (name.find('\0') != name.npos) return std::nullopt;
  Bytes bytes{};
  if (::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1) return Address(bytes);
  bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (::inet_pton(AF_INET, name.c_str(), bytes.data() + 12) == 1) return Address(bytes);
  return std::nullopt;
}

std::optional<Address> Address::Of(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    Bytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::memcpy(bytes.data() + 12, &v4.sin_addr, 4);
    return Address(bytes);
  }
  if (address.sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  Bytes bytes{};
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return Address(bytes);
}

bool Address::IsPublic() const {
  static const Network kMapped = Known("::ffff:0.0.0.0/96");
  static const Network kNat64 = Known("64:ff9b::/96");
  static const Network kUnicast = Known("2000::/3");  // all that is given out so far
  if (kMapped.Contains(*this)) return !IsInAny(NotPublic4(), *this);
  if (kNat64.Contains(*this)) {
    Bytes inside{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::copy(bytes_.begin() + 12, bytes_.end(), inside.begin() + 12);
    return Address(inside).IsPublic();
  }
  return kUnicast.Contains(*this) && !IsInAny(NotPublic6(), *this);
}

base::Result<Network> Network::Parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "'" + std::string(text) + "' is not a network: " + std::string(why));
  };
  const std::size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const auto first = Address::Parse(host);
  if (!first) return wrong("it has no address");
  const bool is_v4 = host.find(':') == host.npos;
  const std::size_t most = is_v4 ? 32 : 128;
  std::size_t bits = most;
  if (slash != text.npos) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + slash + 1, end, bits);
    if (read.ec != std::errc() || read.ptr != end || bits > most) {
      return wrong("what follows the slash is no length of a prefix");
    }
  }
  if (is_v4) bits += kMappedBits;
  for (std::size_t bit = bits; bit < 128; ++bit) {
    if ((first->bytes_[bit / 8] >> (7 - bit % 8) & 1) != 0) return wrong("bits follow its prefix");
  }
  return Network(*first, bits);
}

bool Network::Contains(const Address& address) const {
  return AreEqual(first_.bytes_.data(), address.bytes_.data(), bits_);
}

base::Result<AddressPolicy> AddressPolicy::Parse(const std::vector<std::string>& networks) {
  std::vector<Network> allowed;
  for (const std::string& each : networks) {
    auto network = Network::Parse(each);
    if (!network) return std::move(network).error();
    allowed.push_back(*network);
  }
  return AddressPolicy(std::move(allowed));
}

bool AddressPolicy::Allows(const Address& address) const {
  return address.IsPublic() || IsInAny(allowed_, address);
}

}  // namespace heliograph::http_client
