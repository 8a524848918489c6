#include "metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace heliograph::metrics {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

TEST(Exposition, IsTheTextFormat) {
  Registry registry;
  registry.AddCounter("heliograph_test_total", "How often.", {{"kind", "a"}}).Add();
  registry.AddCounter("heliograph_test_total", "How often.", {{"kind", "b"}}).Add(2);
  registry.AddGauge("heliograph_test_open", "How many.").Set(-1.5);
  const auto seconds = registry.AddHistogram("heliograph_test_seconds", "How long.", {0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 5.0}) seconds.Observe(value);
  const std::string text = registry.Exposition();
  for (const char* line :
       {"# HELP heliograph_test_total How often.\n# TYPE heliograph_test_total counter\n",
        "heliograph_test_total{kind=\"a\"} 1\n", "heliograph_test_total{kind=\"b\"} 2\n",
        "# TYPE heliograph_test_open gauge\nheliograph_test_open -1.5\n",
        "# TYPE heliograph_test_seconds histogram\n", "heliograph_test_seconds_count 4\n",
        "heliograph_test_seconds_bucket{le=\"0.1\"} 2\n",
        "heliograph_test_seconds_bucket{le=\"1\"} 3\n",
        "heliograph_test_seconds_bucket{le=\"+Inf\"} 4\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

// Every line is a comment or `name{labels} number`.
TEST(Exposition, HasOnlyLinesThatPrometheusReads) {
  Registry registry;
  registry
      .AddCounter("heliograph_test_total", "A \"help\" of one line.",
                  {{"label", "a \"b\" \\ c\nd"}})
      .Add();
  std::istringstream lines(registry.Exposition());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_THAT(line,
                ContainsRegex("^(# (HELP|TYPE) [a-z_]+ .*|[a-z_]+(\\{.*\\})? [-+0-9.eIinfNa]+)$"));
  }
  EXPECT_THAT(registry.Exposition(), HasSubstr("{label=\"a \\\"b\\\" \\\\ c\\nd\"} 1\n"));
}

TEST(Exposition, TellsOfTheProcess) {
  const std::string text = Registry().Exposition();
  for (const char* line :
       {"# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total [0-9]",
        "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes [1-9][0-9]*\n",
        "# TYPE process_open_fds gauge\nprocess_open_fds [1-9][0-9]*\n"}) {
    EXPECT_THAT(text, ContainsRegex(line));
  }
}

TEST(Registry, GivesTheSameSeriesAgain) {
  Registry registry;
  registry.AddCounter("heliograph_test_total", "How often.", {{"kind", "a"}}).Add(3);
  EXPECT_EQ(registry.AddCounter("heliograph_test_total", "How often.", {{"kind", "a"}}).Value(), 3);
  EXPECT_EQ(registry.AddCounter("heliograph_test_total", "How often.", {{"kind", "b"}}).Value(), 0);
  const auto gauge = registry.AddGauge("heliograph_test_open", "How many.");
  gauge.Add(2);
  EXPECT_EQ(registry.AddGauge("heliograph_test_open", "How many.").Value(), 2);
}

TEST(Registry, CountsFromAnyThread) {
  Registry registry;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&registry] {
        for (int i = 0; i < 1000; ++i)
          registry.AddCounter("heliograph_test_total", "How often.").Add();
      });
    }
  }
  EXPECT_EQ(registry.AddCounter("heliograph_test_total", "How often.").Value(), 4000);
}

}  // namespace
}  // namespace heliograph::metrics
