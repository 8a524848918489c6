#include "mqtt/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"

namespace heliograph::mqtt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Load(ConnectionConfig& config, const config::Environment& environment) {
  return config::Load({.file = "", .program = "test", .environment = environment},
                      [&](config::Binder& binder) { config.Bind(binder); });
}

TEST(ConnectionConfig, ReadsEverySetting) {
  ConnectionConfig config;
  EXPECT_THAT(Load(config, {{"TEST__HOSTS", "a:1, b:2"},
                            {"TEST__CA_FILE", "ca"},
                            {"TEST__CERT_FILE", "crt"},
                            {"TEST__KEY_FILE", "key"},
                            {"TEST__KEEPALIVE_S", "10"},
                            {"TEST__CONNECT_TIMEOUT_MS", "200"},
                            {"TEST__BACKOFF_FIRST_MS", "20"},
                            {"TEST__BACKOFF_LONGEST_MS", "30"}}),
              IsEmpty());
  EXPECT_THAT(config.hosts, ElementsAre("a:1", "b:2"));
  EXPECT_EQ(config.files().ca_file, "ca");
  EXPECT_EQ(config.files().cert_file, "crt");
  EXPECT_EQ(config.files().key_file, "key");
  EXPECT_EQ(config.keepalive, std::chrono::seconds(10));
  EXPECT_EQ(config.connect_timeout, std::chrono::milliseconds(200));
}

TEST(ConnectionConfig, TheDefaultsAreValid) {
  ConnectionConfig config;
  EXPECT_THAT(Load(config, {}), IsEmpty());
}

TEST(ConnectionConfig, FindsMistakesTogether) {
  ConnectionConfig config;
  EXPECT_THAT(Load(config, {{"TEST__HOSTS", "broker"},
                            {"TEST__KEEPALIVE_S", "1"},
                            {"TEST__BACKOFF_FIRST_MS", "60000"}}),
              ElementsAre(HasSubstr("KEEPALIVE_S"), HasSubstr("host:port"),
                          HasSubstr("must not be longer")));
}

TEST(ConnectionConfig, NoBrokerIsAMistake) {
  ConnectionConfig config;
  EXPECT_THAT(Load(config, {{"TEST__HOSTS", ""}}), ElementsAre(HasSubstr("names no broker")));
}

}  // namespace
}  // namespace heliograph::mqtt
