#include "postgres/connect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace heliograph::postgres {
namespace {

std::vector<std::map<std::string, std::string>> Hosts(const std::string& connection) {
  Config config;
  config.connection = connection;
  auto hosts = HostsOf(config, "test");
  std::vector<std::map<std::string, std::string>> maps;
  if (!hosts) return maps;
  for (const auto& host : *hosts) maps.emplace_back(host.begin(), host.end());
  return maps;
}

TEST(HostsOf, IsOneTryForEachHost) {
  const auto hosts = Hosts("postgresql://u:p@one:5432,two:5433/db?sslmode=require");
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(hosts[0].at("host"), "one");
  EXPECT_EQ(hosts[0].at("port"), "5432");
  EXPECT_EQ(hosts[1].at("host"), "two");
  EXPECT_EQ(hosts[1].at("port"), "5433");
  EXPECT_EQ(hosts[1].at("sslmode"), "require");
}

TEST(HostsOf, OnePortServesAllHosts) {
  const auto hosts = Hosts("host=one,two port=7000 dbname=db");
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(hosts[1].at("port"), "7000");
}

TEST(HostsOf, FillsInWhatTheStringLeavesOpenAndNothingElse) {
  const auto hosts =
      Hosts("host=one keepalives_idle=3 target_session_attrs=any application_name=mine");
  ASSERT_EQ(hosts.size(), 1U);
  EXPECT_EQ(hosts[0].at("keepalives_idle"), "3");
  EXPECT_EQ(hosts[0].at("target_session_attrs"), "any");
  EXPECT_EQ(hosts[0].at("application_name"), "mine");
  EXPECT_EQ(hosts[0].at("tcp_user_timeout"), "15000");
  EXPECT_EQ(Hosts("host=one")[0].at("target_session_attrs"), "read-write");
}

TEST(HostsOf, ThePasswordFileWins) {
  Config config;
  config.connection = "host=one password=old";
  config.password = base::Secret("new");
  const auto hosts = HostsOf(config, "test");
  ASSERT_TRUE(hosts);
  EXPECT_THAT(hosts->front(), testing::Contains(testing::Pair("password", "new")));
}

TEST(HostsOf, MistakesDoNotQuoteTheString) {
  Config config;
  config.connection = "postgresql://user:secret@[::1";
  const auto hosts = HostsOf(config, "test");
  ASSERT_FALSE(hosts);
  EXPECT_EQ(hosts.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_THAT(hosts.error().message, testing::Not(testing::HasSubstr("secret")));
  EXPECT_TRUE(Hosts("host=a,b,c port=1,2").empty()) << "two ports for three hosts";
}

}  // namespace
}  // namespace heliograph::postgres
