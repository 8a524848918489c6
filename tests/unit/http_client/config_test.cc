#include <gtest/gtest.h>

#include "config/config.h"
#include "http_client/client.h"

namespace heliograph::http_client {
namespace {

TEST(ClientConfig, EachSettingHasItsOwnName) {
  ClientConfig config;
  const config::Source source{.file = "",
                              .program = "p",
                              .environment = {{"P__CONNECT_TIMEOUT_MS", "7"},
                                              {"P__TIMEOUT_MS", "8"},
                                              {"P__MAX_RESPONSE_BYTES", "9"},
                                              {"P__CA_FILE", "ca.crt"},
                                              {"P__PROXY", "http://proxy.example.org:3128"}}};
  const auto mistakes = config::Load(source, [&](config::Binder& binder) { config.Bind(binder); });
  EXPECT_EQ(mistakes, std::vector<std::string>{});
  EXPECT_EQ(config.connect_timeout, std::chrono::milliseconds(7));
  EXPECT_EQ(config.timeout, std::chrono::milliseconds(8));
  EXPECT_EQ(config.max_response_bytes, 9);
  EXPECT_EQ(config.ca_file, "ca.crt");
  EXPECT_EQ(config.proxy, "http://proxy.example.org:3128");
}

TEST(ClientConfig, HasBounds) {
  ClientConfig config;
  const config::Source source{
      .file = "",
      .program = "p",
      .environment = {{"P__TIMEOUT_MS", "0"}, {"P__CONNECT_TIMEOUT_MS", "0"}}};
  EXPECT_EQ(config::Load(source, [&](config::Binder& binder) { config.Bind(binder); }).size(), 2u);
}

}  // namespace
}  // namespace heliograph::http_client
