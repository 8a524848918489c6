#include "ctl/program.h"

#include <gtest/gtest.h>

#include <sstream>

namespace heliograph::ctl {
namespace {

struct Ended {
  int code;
  std::string out;
  std::string err;
};

Ended RunWith(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = Run(arguments, {.out = out, .err = err});
  return {code, out.str(), err.str()};
}

struct Wrong {
  std::vector<std::string> arguments;
  std::string told;
};

TEST(Program, AWrongCommandLineIsToldAndEndsWithTwo) {
  for (const Wrong& row : std::initializer_list<Wrong>{
           {{}, "subcommand is required"},
           {{"frobnicate"}, "'frobnicate' is not a command"},
           {{"connections"}, "subcommand is required"},
           {{"connections", "list", "--limit", "0"}, "--limit"},
           {{"connections", "list", "--nonsense"}, "--nonsense"},
           {{"connections", "show"}, "CLIENT_ID"},
           {{"webhooks", "create", "ends"}, "--url"},
           {{"send", "solar-1"}, "--directive"},
           {{"send", "-d", "x"}, "CLIENT_ID"},
           {{"send", "solar-1", "-d", "x", "-p", "1", "-f", "y"}, "excludes"},
           {{"migrate", "down", "--postgres", "port=1"}, "--yes"},
           {{"check-config", "fleet", "x.yaml"}, "PROGRAM"}}) {
    const Ended ended = RunWith(row.arguments);
    EXPECT_EQ(ended.code, 2) << row.told;
    EXPECT_NE(ended.err.find(row.told), std::string::npos)
        << row.told << " is not in: " << ended.err;
    EXPECT_EQ(ended.out, "") << "standard output is for answers";
  }
}

TEST(Program, ATokenIsNeverAnOption) {
  for (const char* flag : {"--token", "-t"}) {
    EXPECT_EQ(RunWith({"connections", "list", flag, "secret"}).code, 2)
        << "everybody's ps would show it";
  }
}

TEST(Program, HelpIsAnAnswerAndExplainsTheExitCodes) {
  const Ended ended = RunWith({"--help"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.out.find("Exit codes"), std::string::npos);
  for (const char* command :
       {"migrate", "topics", "state", "connections", "send", "check-config", "version"}) {
    EXPECT_NE(ended.out.find(command), std::string::npos) << command;
  }
}

TEST(Program, JsonMayStandAnywhere) {
  EXPECT_EQ(RunWith({"--json", "version"}).out, RunWith({"version", "--json"}).out);
  EXPECT_TRUE(RunWith({"version", "--json"}).out.starts_with("{"));
  EXPECT_TRUE(RunWith({"version"}).out.starts_with("heliograph "));
}

TEST(Program, AFileThatIsWrongIsUsageToo) {
  const Ended ended = RunWith({"connections", "list", "--token-file", "/nonexistent/token"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("/nonexistent/token"), std::string::npos);
}

}  // namespace
}  // namespace heliograph::ctl
