// The admin endpoint of every daemon.
#include "app/admin.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "contract/http/raw_client.h"

namespace heliograph::http::testing {
namespace {

class Admin : public ::testing::Test {
 protected:
  RawAnswer Ask(const std::string& path) {
    const auto answer = testing::Ask(endpoint_.port(), Get(path));
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(RawAnswer());
  }

  base::Health health_;
  metrics::Registry metrics_;
  app::AdminEndpoint endpoint_{{"127.0.0.1", 0}, health_, metrics_};
};

TEST_F(Admin, IsAliveWhateverItDependsOn) {
  health_.SetNotReady("kafka", "no broker answers");
  EXPECT_EQ(Ask("/livez").status, 200);
}

TEST_F(Admin, IsReadyWhenAllDependenciesAre) {
  EXPECT_EQ(Ask("/readyz").status, 503) << "nothing has said that it is ready";
  health_.SetReady("kafka");
  health_.SetNotReady("mqtt", "the broker said \"no\"\n\xff");
  auto answer = Ask("/readyz");
  EXPECT_EQ(answer.status, 503);
  auto body = nlohmann::json::parse(answer.body);
  EXPECT_EQ(body["ready"], false);
  EXPECT_EQ(body["dependencies"]["kafka"]["ready"], true);
  EXPECT_EQ(body["dependencies"]["mqtt"]["ready"], false);
  EXPECT_EQ(body["dependencies"]["mqtt"]["reason"], "the broker said \"no\"\n\xef\xbf\xbd");
  health_.SetReady("mqtt");
  answer = Ask("/readyz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(nlohmann::json::parse(answer.body)["ready"], true);
}

TEST_F(Admin, TellsReadinessAsAMetricToo) {
  health_.SetReady("kafka");
  health_.SetNotReady("mqtt", "no broker");
  const std::string body = Ask("/metrics").body;
  EXPECT_NE(body.find("heliograph_app_ready{dependency=\"kafka\"} 1\n"), std::string::npos);
  EXPECT_NE(body.find("heliograph_app_ready{dependency=\"mqtt\"} 0\n"), std::string::npos);
  health_.SetReady("mqtt");
  EXPECT_NE(Ask("/metrics").body.find("heliograph_app_ready{dependency=\"mqtt\"} 1\n"),
            std::string::npos);
}

TEST_F(Admin, ShowsMetrics) {
  metrics_.AddCounter("heliograph_test_total", "A test.").Add(3);
  const auto answer = Ask("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(answer.body.find("heliograph_test_total 3\n"), std::string::npos);
}

}  // namespace
}  // namespace heliograph::http::testing
