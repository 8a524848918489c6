// Which addresses are nobody's to be called by a URL that a stranger chose.
#include "http_client/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

namespace heliograph::http_client {
namespace {

struct Case {
  const char* address;
  const char* why;
};

// The first and the last of each network, and its neighbours outside.
constexpr Case kRefused[] = {
    {"0.0.0.0", "unspecified: the kernel connects it to loopback"},
    {"0.255.255.255", "this network"},
    {"10.0.0.0", "private"},
    {"10.255.255.255", "private"},
    {"100.64.0.0", "carrier-grade NAT"},
    {"100.100.100.200", "a cloud's metadata"},
    {"100.127.255.255", "carrier-grade NAT"},
    {"127.0.0.1", "loopback"},
    {"127.255.255.255", "loopback"},
    {"168.63.129.16", "a cloud's host"},
    {"169.254.0.0", "link-local"},
    {"169.254.169.254", "most clouds' metadata"},
    {"169.254.255.255", "link-local"},
    {"172.16.0.0", "private"},
    {"172.31.255.255", "private"},
    {"192.0.0.0", "protocol assignments"},
    {"192.0.0.192", "a cloud's metadata"},
    {"192.0.2.1", "documentation"},
    {"192.88.99.1", "6to4 relay"},
    {"192.168.0.0", "private"},
    {"192.168.255.255", "private"},
    {"198.18.0.0", "benchmarks"},
    {"198.19.255.255", "benchmarks"},
    {"198.51.100.1", "documentation"},
    {"203.0.113.255", "documentation"},
    {"224.0.0.1", "multicast"},
    {"239.255.255.255", "multicast"},
    {"240.0.0.0", "reserved"},
    {"255.255.255.255", "broadcast"},
    {"::", "unspecified"},
    {"::1", "loopback"},
    {"::7f00:1", "IPv4-compatible"},
    {"::ffff:127.0.0.1", "IPv4-mapped loopback"},
    {"::ffff:a00:1", "IPv4-mapped private, in hexadecimal"},
    {"::ffff:169.254.169.254", "IPv4-mapped metadata"},
    {"::ffff:0:7f00:1", "IPv4-translated"},
    {"64:ff9b::127.0.0.1", "NAT64 of loopback"},
    {"64:ff9b::a9fe:a9fe", "NAT64 of metadata"},
    {"64:ff9b::192.168.1.1", "NAT64 of private"},
    {"64:ff9b:1::1", "NAT64 of a network of one's own"},
    {"100::1", "discard"},
    {"2001::1", "Teredo"},
    {"2001:0:53aa:64c:0:0:80ff:fffe", "Teredo"},
    {"2001:2::1", "benchmarks"},
    {"2001:10::1", "ORCHID"},
    {"2001:1ff:ffff::1", "protocol assignments"},
    {"2001:db8::1", "documentation"},
    {"2002:7f00:1::1", "6to4 of loopback"},
    {"2002:808:808::1", "6to4, whatever is inside"},
    {"3fff::1", "documentation"},
    {"4000::1", "given out to nobody"},
    {"5f00::1", "segment routing"},
    {"fc00::1", "unique local"},
    {"fd00:ec2::254", "a cloud's metadata"},
    {"fdff:ffff::1", "unique local"},
    {"fe80::1", "link-local"},
    {"febf::1", "link-local"},
    {"fec0::1", "site-local"},
    {"ff02::1", "multicast"},
};

constexpr Case kPublic[] = {
    {"1.1.1.1", ""},
    {"9.255.255.255", "before private"},
    {"11.0.0.0", "after private"},
    {"100.63.255.255", "before carrier-grade NAT"},
    {"100.128.0.0", "after it"},
    {"126.255.255.255", "before loopback"},
    {"128.0.0.0", "after it"},
    {"168.63.129.15", "beside a cloud's host"},
    {"168.63.129.17", "beside it"},
    {"169.253.255.255", "before link-local"},
    {"169.255.0.0", "after it"},
    {"172.15.255.255", "before private"},
    {"172.32.0.0", "after it"},
    {"192.0.1.0", "after protocol assignments"},
    {"192.167.255.255", "before private"},
    {"192.169.0.0", "after it"},
    {"198.17.255.255", "before benchmarks"},
    {"198.20.0.0", "after them"},
    {"223.255.255.255", "before multicast"},
    {"::ffff:8.8.8.8", "IPv4-mapped public"},
    {"64:ff9b::8.8.8.8", "NAT64 of public"},
    {"2001:200::1", "after protocol assignments"},
    {"2001:db7::1", "before documentation"},
    {"2001:db9::1", "after it"},
    {"2003::1", "after 6to4"},
    {"2600::1", ""},
    {"3ffe::1", "before documentation"},
};

TEST(Address, WhatIsNotPublic) {
  for (const Case& each : kRefused) {
    const auto address = Address::Parse(each.address);
    ASSERT_TRUE(address) << each.address;
    EXPECT_FALSE(address->IsPublic()) << each.address << ": " << each.why;
    EXPECT_FALSE(AddressPolicy().Allows(*address)) << each.address;
  }
}

TEST(Address, WhatIsPublic) {
  for (const Case& each : kPublic) {
    const auto address = Address::Parse(each.address);
    ASSERT_TRUE(address) << each.address;
    EXPECT_TRUE(address->IsPublic()) << each.address << ": " << each.why;
    EXPECT_TRUE(AddressPolicy().Allows(*address)) << each.address;
  }
}

TEST(Address, OfASocket) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_FALSE(Address::Of(reinterpret_cast<const sockaddr&>(v4))->IsPublic());
  v4.sin_addr.s_addr = htonl(0x08080808);
  EXPECT_TRUE(Address::Of(reinterpret_cast<const sockaddr&>(v4))->IsPublic());
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  EXPECT_FALSE(Address::Of(reinterpret_cast<const sockaddr&>(v6))->IsPublic());
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_EQ(Address::Of(reinterpret_cast<const sockaddr&>(local)), std::nullopt);
}

TEST(Address, WhatIsNone) {
  for (const char* text : {"", "localhost", "127.1", "2130706433", "0177.0.0.1", "0x7f000001",
                           "127.0.0.1:80", "[::1]", "fe80::1%lo", "1.2.3.4.5", ":::"}) {
    EXPECT_EQ(Address::Parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(Address::Parse(std::string_view("127.0.0.1\0", 10)), std::nullopt);
}

TEST(AddressPolicy, AllowsNetworksBesides) {
  const auto policy = AddressPolicy::Parse({"127.0.0.0/8", "fd00:1::/32", "192.168.7.9"});
  ASSERT_TRUE(policy);
  for (const char* text :
       {"127.0.0.1", "127.255.0.1", "::ffff:127.0.0.1", "fd00:1::5", "192.168.7.9", "1.1.1.1"}) {
    EXPECT_TRUE(policy->Allows(*Address::Parse(text))) << text;
  }
  for (const char* text : {"128.0.0.0", "::1", "fd00:2::5", "192.168.7.8", "64:ff9b::127.0.0.1"}) {
    EXPECT_EQ(policy->Allows(*Address::Parse(text)), std::string_view(text) == "128.0.0.0") << text;
  }
  EXPECT_TRUE(AddressPolicy::Parse({"0.0.0.0/0"})->Allows(*Address::Parse("127.0.0.1")));
  EXPECT_FALSE(AddressPolicy::Parse({"0.0.0.0/0"})->Allows(*Address::Parse("::1")));
}

TEST(Network, WhatIsNone) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ",
                           "10.0.0.1/8", "::1/0", "::/129", "loopback", "10.0.0.0/8/8"}) {
    const auto network = Network::Parse(text);
    ASSERT_FALSE(network) << text;
    EXPECT_NE(network.error().message.find("'" + std::string(text) + "'"), std::string::npos);
    EXPECT_FALSE(AddressPolicy::Parse({"10.0.0.0/8", text})) << text;
  }
}

}  // namespace
}  // namespace heliograph::http_client
