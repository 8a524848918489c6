// A resolver that is dead: what waits for it, and for how long. This program's getaddrinfo stands
// in front of the C library's.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "mqtt/session.h"
#include "support/certificates.h"
#include "support/folder.h"

namespace {

constexpr const char* kDeadName = "dead-resolver.example";
constexpr std::chrono::seconds kDead(15);
std::atomic<bool> asked = false;

}  // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const bool numeric = hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0;
  if (!numeric && name != nullptr && std::strcmp(name, kDeadName) == 0) {
    asked = true;
    std::this_thread::sleep_for(kDead);
    return EAI_AGAIN;
  }
  return real(name, service, hints, found);
}

namespace heliograph::mqtt {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

class LookUpTest : public testing::Test {
 protected:
  LookUpTest() {
    const support::Authority authority("test authority");
    authority.WriteCertificate(folder_.File("ca.crt"));
    authority.Issue({.common_name = "client"}, folder_.File("client.crt"),
                    folder_.File("client.key"));
    config_.hosts = {std::string(kDeadName) + ":8883"};
    config_.ca_file = folder_.File("ca.crt");
    config_.cert_file = folder_.File("client.crt");
    config_.key_file = folder_.File("client.key");
    config_.connect_timeout = seconds(60);
  }

  support::Folder folder_;
  ConnectionConfig config_;
};

class Deaf final : public ClientEvents {
 public:
  void OnConnected(int, bool) override {}
  void OnSubscribed(int, std::span<const int>) override {}
  void OnMessage(const IncomingMessage&) override {}
  void OnPublished(int, int) override {}
};

// Far from both 2 s, the limit, and the 15 s and 60 s that there would be without it.
constexpr seconds kEarly(8);

TEST_F(LookUpTest, ADeadResolverIsNotWaitedForLong) {
  Deaf events;
  ClientOptions options;
  options.client_id = "a";
  Client client(config_, options, events);
  const auto begin = steady_clock::now();
  const base::Status status = client.StartConnect();
  EXPECT_LT(steady_clock::now() - begin, kEarly);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::kDeadlineExceeded) << status.error().message;
}

TEST_F(LookUpTest, ASessionEndsAlsoWhileItLooksUp) {
  SessionOptions options;
  options.client.client_id = "a";
  options.thread_name = "test";
  asked = false;
  auto session = std::make_unique<Session>(config_, options);
  while (!asked) std::this_thread::yield();
  const auto begin = steady_clock::now();
  session.reset();
  EXPECT_LT(steady_clock::now() - begin, kEarly);
}

}  // namespace
}  // namespace heliograph::mqtt
