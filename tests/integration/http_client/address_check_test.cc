// Addresses that may not be called are not, however they are written, and whatever the resolver
// says when: this program has a resolver of its own for one name.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "http_client/client.h"
#include "integration/http_client/scripted_server.h"

namespace {

constexpr const char* kName = "rebinding.example";
std::mutex resolver_mutex;
std::vector<std::string> answers;  // of the resolver for kName, one after the other; guarded by
                                   // resolver_mutex
int asked = 0;                     // guarded by resolver_mutex

}  // namespace

// In place of the C library's, also for libcurl.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || std::strcmp(node, kName) != 0) return real(node, service, hints, found);
  const std::lock_guard lock(resolver_mutex);
  const std::size_t at =
      std::min<std::size_t>(static_cast<std::size_t>(asked++), answers.size() - 1);
  return real(answers[at].c_str(), service, hints, found);
}

namespace heliograph::http_client {
namespace {

using base::ErrorCode;
using Then = ScriptedServer::Then;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
constexpr const char* kOkAndClose =
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";

ClientConfig Guarded(const std::vector<std::string>& allowed) {
  ClientConfig config;
  config.addresses = std::make_shared<const AddressPolicy>(*AddressPolicy::Parse(allowed));
  return config;
}

TEST(AddressCheck, HoweverTheAddressIsWritten) {
  ScriptedServer server(kOk, Then::kKeepsOpen);
  Client client(Guarded({}));
  for (const char* host : {"127.0.0.1",
                           "localhost",
                           "LOCALHOST",
                           "localhost.",
                           "0.0.0.0",
                           "0",
                           "127.1",
                           "127.0.1",
                           "2130706433",
                           "017700000001",
                           "0177.0.0.1",
                           "0x7f000001",
                           "0x7f.0.0.1",
                           "[::1]",
                           "[::]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "[0:0:0:0:0:ffff:7f00:1]",
                           "%6c%6fcalhost",
                           "%31%32%37.0.0.1"}) {
    const auto response = client.Send(
        {.url = "http://" + std::string(host) + ':' + std::to_string(server.port()) + "/"});
    ASSERT_FALSE(response) << host;
    // A machine may know neither localhost. nor IPv6: then there is no address to refuse.
    EXPECT_TRUE(response.error().code == ErrorCode::kInvalidArgument ||
                response.error().code == ErrorCode::kUnavailable)
        << host << ": " << response.error().message;
  }
  EXPECT_EQ(client.Send({.url = server.url()}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(server.connections(), 0);
}

TEST(AddressCheck, WhatIsAllowedIsCalled) {
  ScriptedServer server(kOkAndClose, Then::kCloses);
  Client client(Guarded({"127.0.0.0/8"}));
  EXPECT_TRUE(client.Send({.url = server.url()}));
  EXPECT_TRUE(client.Send({.url = "http://localhost:" + std::to_string(server.port())}));
  EXPECT_EQ(server.connections(), 2);
}

// First the name means what may be called, then what may not: as of a DNS server that lies in wait
// for whoever looks a name up to judge it, and again to connect.
TEST(AddressCheck, TheAddressThatIsConnectedToCounts) {
  ScriptedServer allowed(kOkAndClose, Then::kCloses, "127.0.0.2");
  ScriptedServer inner(kOk, Then::kKeepsOpen, "127.0.0.1", allowed.port());
  {
    const std::lock_guard lock(resolver_mutex);
    answers = {"127.0.0.2", "127.0.0.1"};
    asked = 0;
  }
  Client client(Guarded({"127.0.0.2"}));
  const std::string url = "http://" + std::string(kName) + ':' + std::to_string(allowed.port());
  const auto first = client.Send({.url = url});
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_EQ(allowed.requests().size(), 1u);
  EXPECT_NE(allowed.requests().front().find("Host: rebinding.example"), std::string::npos);
  const auto second = client.Send({.url = url});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInvalidArgument) << second.error().message;
  EXPECT_EQ(inner.connections(), 0);
  const std::lock_guard lock(resolver_mutex);
  EXPECT_EQ(asked, 2) << "once for each connection: nobody judges one answer and uses another";
}

}  // namespace
}  // namespace heliograph::http_client
