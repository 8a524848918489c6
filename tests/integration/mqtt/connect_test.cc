// Connecting, and above all not connecting: bounded in time, and with a reason that names the
// cause.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/startup_error.h"
#include "integration/mqtt/recorder.h"
#include "support/broker.h"

namespace heliograph::mqtt {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::AnyOf;
using testing::HasSubstr;

ConnectionConfig ConfigFor(const support::Broker& broker) {
  ConnectionConfig config;
  config.hosts = {broker.Host()};
  config.ca_file = broker.File("ca.crt");
  config.cert_file = broker.File("client.crt");
  config.key_file = broker.File("client.key");
  config.connect_timeout = milliseconds(500);
  return config;
}

ClientOptions Named(const std::string& client_id) {
  ClientOptions options;
  options.client_id = client_id;
  return options;
}

// Listens, and lets the kernel accept; never reads or writes.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(socket_, 8);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { ::close(socket_); }
  std::string Host() const { return "127.0.0.1:" + std::to_string(port_); }
  // Takes one connection and closes it.
  void CloseOne() { ::close(::accept(socket_, nullptr, nullptr)); }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

milliseconds TimeOf(const std::function<void()>& action) {
  const auto begin = steady_clock::now();
  action();
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
}

TEST(Connect, ASilentServerDoesNotHangIt) {
  const support::Broker broker;
  const SilentServer silent;
  ConnectionConfig config = ConfigFor(broker);
  config.hosts = {silent.Host()};
  Recorder recorder(config, Named("a"));
  base::Status status;
  EXPECT_LT(TimeOf([&] { status = recorder.client.Connect(); }), milliseconds(1500));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::kUnavailable);
  EXPECT_THAT(status.error().message, HasSubstr("no answer in the TLS handshake"));
  EXPECT_EQ(recorder.client.fd(), -1);
}

TEST(Connect, ABlackHoleDoesNotHangIt) {
  const support::Broker broker;
  ConnectionConfig config = ConfigFor(broker);
  config.hosts = {"192.0.2.1:8883"};  // RFC 5737: nobody's; unreachable here or without an answer
  Recorder recorder(config, Named("a"));
  base::Status status;
  EXPECT_LT(TimeOf([&] { status = recorder.client.Connect(); }), milliseconds(1500));
  EXPECT_FALSE(status);
}

TEST(Connect, APeerThatClosesInTheHandshakeIsNoticedAtOnce) {
  const support::Broker broker;
  SilentServer closing;
  ConnectionConfig config = ConfigFor(broker);
  config.hosts = {closing.Host()};
  config.connect_timeout = std::chrono::seconds(10);
  Recorder recorder(config, Named("a"));
  ASSERT_TRUE(recorder.client.StartConnect());
  closing.CloseOne();
  base::Result<bool> done = false;
  const auto begin = steady_clock::now();
  while (done && !*done && steady_clock::now() - begin < std::chrono::seconds(5)) {
    done = recorder.client.ContinueConnect();
  }
  ASSERT_FALSE(done) << "it must not wait for its time-out";
}

TEST(Connect, ABrokerThatDoesNotAnswerConnectIsGivenUp) {
  support::Broker broker;
  const ConnectionConfig config = ConfigFor(broker);
  Recorder recorder(config, Named("a"));
  ASSERT_TRUE(recorder.client.Connect());
  broker.Pause();
  EXPECT_FALSE(recorder.RunUntil([] { return false; }, true, std::chrono::seconds(5)));
  EXPECT_THAT(recorder.ended, HasSubstr("does not answer CONNECT"));
}

TEST(Connect, NobodyListening) {
  const support::Broker broker;
  ConnectionConfig config = ConfigFor(broker);
  config.hosts = {"127.0.0.1:" + std::to_string(support::FreePort())};
  Recorder recorder(config, Named("a"));
  EXPECT_FALSE(recorder.Online());
  EXPECT_THAT(recorder.ended, HasSubstr("Connection refused"));
  EXPECT_THAT(recorder.ended, HasSubstr(config.hosts[0])) << "it says which broker";
}

TEST(Connect, AnUnknownName) {
  const support::Broker broker;
  ConnectionConfig config = ConfigFor(broker);
  config.hosts = {"no-such-host.invalid:8883"};
  Recorder recorder(config, Named("a"));
  EXPECT_FALSE(recorder.Online());
  EXPECT_THAT(recorder.ended, HasSubstr("no-such-host.invalid"));
}

TEST(Connect, TriesTheNextHostAtEachCall) {
  const support::Broker broker;
  ConnectionConfig config = ConfigFor(broker);
  config.hosts = {"127.0.0.1:" + std::to_string(support::FreePort()), broker.Host()};
  Recorder recorder(config, Named("a"));
  EXPECT_FALSE(recorder.Online());
  EXPECT_TRUE(recorder.Online()) << recorder.ended;
}

TEST(Connect, TriesEveryAddressOfAHost) {
  const support::Broker broker;  // on 127.0.0.1 only, while localhost may mean ::1 first
  ConnectionConfig config = ConfigFor(broker);
  config.hosts = {"localhost:" + std::to_string(broker.port())};
  Recorder recorder(config, Named("a"));
  EXPECT_TRUE(recorder.Online()) << recorder.ended;
}

TEST(Verification, RefusesABrokerWithAnotherName) {
  const support::Broker broker({.names = "DNS:elsewhere.example,IP:127.0.0.9"});
  ConnectionConfig config = ConfigFor(broker);
  for (const std::string& host : {broker.Host(), "localhost:" + std::to_string(broker.port())}) {
    config.hosts = {host};
    Recorder recorder(config, Named("a"));
    EXPECT_FALSE(recorder.Online());
    EXPECT_THAT(recorder.ended, HasSubstr("the broker's certificate is refused")) << host;
    EXPECT_THAT(recorder.ended, HasSubstr("mismatch")) << host;
  }
  EXPECT_EQ(broker.Log().find("connected from"), std::string::npos) << "CONNECT was never sent";
}

TEST(Verification, RefusesABrokerOfAForeignAuthority) {
  const support::Broker broker;
  const support::Folder folder;
  support::Authority("another authority").WriteCertificate(folder.File("ca.crt"));
  ConnectionConfig config = ConfigFor(broker);
  config.ca_file = folder.File("ca.crt");
  Recorder recorder(config, Named("a"));
  EXPECT_FALSE(recorder.Online());
  EXPECT_THAT(recorder.ended, HasSubstr("the broker's certificate is refused"));
}

TEST(Verification, TellsWhenTheBrokerRefusesOurCertificate) {
  const support::Broker broker;
  const support::Folder folder;
  const support::Authority foreign("another authority");
  foreign.Issue({.common_name = "client"}, folder.File("client.crt"), folder.File("client.key"));
  ConnectionConfig config = ConfigFor(broker);
  config.cert_file = folder.File("client.crt");
  config.key_file = folder.File("client.key");
  Recorder recorder(config, Named("a"));
  EXPECT_FALSE(recorder.Online());
  // The reset that follows the alert can overtake it.
  EXPECT_THAT(recorder.ended, AnyOf(HasSubstr("the broker refused the TLS connection"),
                                    HasSubstr("may not accept our certificate")));
}

TEST(Verification, AnExpiredCertificateIsFoundAtTheStart) {
  const support::Broker broker;
  const support::Folder folder;
  broker.authority().Issue({.common_name = "client",
                            .valid_from = std::chrono::hours(-48),
                            .valid_until = std::chrono::hours(-24)},
                           folder.File("client.crt"), folder.File("client.key"));
  ConnectionConfig config = ConfigFor(broker);
  config.cert_file = folder.File("client.crt");
  config.key_file = folder.File("client.key");
  try {
    Recorder recorder(config, Named("a"));
    FAIL() << "it must not start";
  } catch (const base::StartupError& error) {
    EXPECT_THAT(error.what(), HasSubstr(folder.File("client.crt")));
    EXPECT_THAT(error.what(), HasSubstr("expired"));
  }
}

TEST(Verification, ARenewedCertificateIsTakenAtTheNextConnect) {
  const support::Broker broker;
  const support::Folder folder;
  broker.authority().Issue({.common_name = "before"}, folder.File("c.crt"), folder.File("c.key"));
  ConnectionConfig config = ConfigFor(broker);
  config.cert_file = folder.File("c.crt");
  config.key_file = folder.File("c.key");
  Recorder recorder(config, Named("a"));
  ASSERT_TRUE(recorder.Online());
  broker.authority().Issue({.common_name = "after"}, folder.File("c.crt"), folder.File("c.key"));
  ASSERT_TRUE(recorder.Online());
  EXPECT_EQ(recorder.client.certificate().common_name, "after");
  EXPECT_THAT(broker.Log(), HasSubstr("u'after'"));
}

}  // namespace
}  // namespace heliograph::mqtt
