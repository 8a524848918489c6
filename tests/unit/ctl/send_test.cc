#include "ctl/send.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ctl/groups.h"
#include "ctl/selector.h"

namespace heliograph::ctl {
namespace {

using base::ErrorCode;

class Payload : public testing::Test {
 protected:
  base::Result<json::Value> Read() { return ReadPayload(options_, standard_input_); }

  SendOptions options_;
  std::istringstream standard_input_;
};

TEST_F(Payload, IsJsonUnlessItIsSaidToBeText) {
  options_.payload = R"({"level": 5})";
  EXPECT_EQ(*Read(), json::Value({{"level", 5}}));
  options_.text = true;
  EXPECT_EQ(*Read(), json::Value(R"({"level": 5})"));
}

TEST_F(Payload, NothingIsNull) { EXPECT_TRUE(Read()->is_null()); }

TEST_F(Payload, WhatIsNotJsonIsRefusedWithTheWayOut) {
  options_.payload = "reboot now";
  const auto refused = Read();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("--text"), std::string::npos);
}

TEST_F(Payload, ComesFromStandardInput) {
  options_.payload_file = "-";
  standard_input_.str("[1,2]\n");
  EXPECT_EQ(*Read(), json::Value({1, 2}));
}

TEST_F(Payload, AnEmptyFileIsNotNull) {
  options_.payload_file = "-";
  const auto refused = Read();
  ASSERT_FALSE(refused) << "a file that is empty by mistake must not become an action";
  options_.text = true;
  EXPECT_EQ(*Read(), json::Value("")) << "an empty text is one";
}

TEST_F(Payload, AMissingFileIsNamed) {
  options_.payload_file = "/nonexistent/payload.json";
  const auto refused = Read();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("/nonexistent/payload.json"), std::string::npos);
}

TEST_F(Payload, AFileIsReadWhole) {
  const auto path = std::filesystem::path(testing::TempDir()) / "heliograph-payload.json";
  std::ofstream(path) << "\"line\\nline\"\n";
  options_.payload_file = path.string();
  EXPECT_EQ(*Read(), json::Value("line\nline"));
}

TEST(ActionOf, IsForOneKindOfTargets) {
  SendOptions options;
  options.directive = "d";
  EXPECT_FALSE(ActionOf(options, json::Value())) << "nobody";
  options.selector = {"state=online", "tag=site:north", "tag=floor:2"};
  options.exclude = {"solar-7"};
  options.dry_run = true;
  const auto action = ActionOf(options, json::Value());
  ASSERT_TRUE(action);
  EXPECT_EQ((*action)["targets"],
            json::Value(
                {{"selector", {{"state", "online"}, {"tags", {{"site", "north"}, {"floor", "2"}}}}},
                 {"exclude", json::Value::array({"solar-7"})}}));
  EXPECT_EQ((*action)["dry_run"], true);
  EXPECT_FALSE(action->contains("dry_run_id"));
  options.group = "roof";
  EXPECT_FALSE(ActionOf(options, json::Value())) << "two kinds";
  options.selector.clear();
  options.dry_run = false;
  options.dry_run_id = "id";
  EXPECT_EQ((*ActionOf(options, json::Value()))["targets"]["group"], "roof");
  EXPECT_EQ((*ActionOf(options, json::Value()))["dry_run_id"], "id");
}

TEST(SelectorOf, TakesEachConditionOnce) {
  for (const std::vector<std::string>& bad :
       std::vector<std::vector<std::string>>{{"online"},
                                             {"=x"},
                                             {"tag=site"},
                                             {"tag=:x"},
                                             {"state=online", "state=offline"},
                                             {"tag=a:1", "tag=a:2"}}) {
    const auto refused = SelectorOf(bad);
    ASSERT_FALSE(refused) << bad[0];
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(GroupOf, TakesClientIdsOrASelector) {
  SetGroupOptions options;
  std::istringstream lines("  b \n\n c\r\n");
  EXPECT_FALSE(GroupOf(options, lines)) << "nobody";
  options.client_ids = {"a"};
  options.file = "-";
  EXPECT_EQ((*GroupOf(options, lines))["client_ids"], json::Value({"a", "b", "c"}));
  options.selector = {"state=online"};
  EXPECT_FALSE(GroupOf(options, lines)) << "both";
  options.client_ids.clear();
  options.file.clear();
  EXPECT_EQ((*GroupOf(options, lines))["selector"]["state"], "online");
  options.selector.clear();
  options.file = "/nonexistent/ids";
  EXPECT_NE(GroupOf(options, lines).error().message.find("/nonexistent/ids"), std::string::npos);
}

TEST(WriteDryRun, ShowsEachKindAndHowToGoOn) {
  std::ostringstream out;
  WriteDryRun({{"dry_run_id", "id-1"},
               {"total", 3},
               {"online", 2},
               {"offline", 1},
               {"sample", {{"online", {"a", "b"}}}}},
              {.out = out, .err = out});
  EXPECT_NE(out.str().find("online"), std::string::npos);
  EXPECT_NE(out.str().find("--dry-run-id id-1"), std::string::npos);
}

TEST(ActionOf, HasTheShapeOfTheApi) {
  SendOptions options;
  options.client_ids = {"solar-1", "solar-2"};
  options.directive = "inverter";
  options.metadata = {"who=me", "note=a=b", "empty="};
  EXPECT_EQ(*ActionOf(options, {{"on", true}}),
            json::Value({{"targets", {{"client_ids", {"solar-1", "solar-2"}}}},
                         {"directive", "inverter"},
                         {"payload", {{"on", true}}},
                         {"metadata", {{"who", "me"}, {"note", "a=b"}, {"empty", ""}}}}));
}

TEST(ActionOf, SaysWhenAndHowFastWhereThatIsGiven) {
  SendOptions options;
  options.client_ids = {"solar-1"};
  for (const char* name : {"not_before", "rate_per_s", "max_in_flight", "abort_if"}) {
    EXPECT_FALSE(ActionOf(options, nullptr)->contains(name)) << name;
  }
  options.not_before = "2026-11-22T01:00:00Z";
  options.rate_per_s = 5;
  options.max_in_flight = 6;
  options.abort_failed_percent = 7;
  const auto action = ActionOf(options, nullptr);
  EXPECT_EQ((*action)["not_before"], "2026-11-22T01:00:00Z");
  EXPECT_EQ((*action)["rate_per_s"], 5);
  EXPECT_EQ((*action)["max_in_flight"], 6);
  EXPECT_EQ((*action)["abort_if"], json::Value({{"failed_percent", 7}, {"min_finished", 1}}));
  options.abort_min_finished = 8;
  EXPECT_EQ((*ActionOf(options, nullptr))["abort_if"]["min_finished"], 8);
}

TEST(ActionOf, LeavesMetadataOutWhereThereIsNone) {
  SendOptions options;
  options.client_ids = {"solar-1"};
  EXPECT_FALSE(ActionOf(options, nullptr)->contains("metadata"));
}

TEST(ActionOf, RefusesMetadataThatIsNotAPair) {
  for (const std::vector<std::string>& metadata :
       {std::vector<std::string>{"who"}, {"=me"}, {"who=a", "who=b"}}) {
    SendOptions options;
    options.metadata = metadata;
    EXPECT_FALSE(ActionOf(options, nullptr)) << metadata.front();
  }
}

json::Value ActionWith(std::initializer_list<const char*> statuses) {
  json::Value targets = json::Value::array();
  json::Value totals = json::Value::object();
  for (const char* status : statuses) {
    targets.push_back({{"client_id", "d"}, {"status", status}});
    totals[status] = totals.value(status, 0) + 1;
  }
  return {{"action_id", "a"}, {"totals", totals}, {"targets", targets}};
}

struct Verdict {
  std::initializer_list<const char*> statuses;
  ExitCode without_waiting;
  ExitCode after_waiting;
  const char* why;
};

TEST(JudgeAction, OneTargetThatFailedIsANo) {
  for (const Verdict& row : std::initializer_list<Verdict>{
           {{"published"}, ExitCode::kOk, ExitCode::kNo, "sent; whoever waited has no result"},
           {{"accepted"}, ExitCode::kOk, ExitCode::kNo, "on its way"},
           {{"succeeded"}, ExitCode::kOk, ExitCode::kOk, "done"},
           {{"succeeded", "failed"}, ExitCode::kNo, ExitCode::kNo, "one failed"},
           {{"published", "offline"}, ExitCode::kNo, ExitCode::kNo, "one was not reached"},
           {{"undeliverable"}, ExitCode::kNo, ExitCode::kNo, "nobody listens"},
           {{"a-status-of-tomorrow"}, ExitCode::kNo, ExitCode::kNo, "not known to be good"},
           {{}, ExitCode::kNo, ExitCode::kNo, "an answer without targets is not a yes"}}) {
    EXPECT_EQ(JudgeAction(ActionWith(row.statuses), false), row.without_waiting) << row.why;
    EXPECT_EQ(JudgeAction(ActionWith(row.statuses), true), row.after_waiting) << row.why;
  }
}

// More than a thousand targets: the API tells how many stand where, and does not list them.
json::Value LargeActionWith(const json::Value& totals) {
  return {{"action_id", "a"}, {"totals", totals}, {"targets", nullptr}};
}

TEST(JudgeAction, GoesByTheTotalsWhereTargetsAreTooManyToList) {
  const json::Value sent = LargeActionWith({{"published", 1001}});
  EXPECT_EQ(JudgeAction(sent, false), ExitCode::kOk);
  EXPECT_EQ(JudgeAction(sent, true), ExitCode::kNo);
  EXPECT_EQ(JudgeAction(LargeActionWith({{"succeeded", 1001}}), true), ExitCode::kOk);
  const json::Value mixed = LargeActionWith({{"succeeded", 1000}, {"failed", 1}});
  EXPECT_EQ(JudgeAction(mixed, true), ExitCode::kNo);
}

TEST(HasEnded, GoesByTheTotals) {
  EXPECT_FALSE(HasEnded(LargeActionWith({{"published", 1001}})));
  EXPECT_FALSE(HasEnded(LargeActionWith({{"published", 1}, {"succeeded", 1000}})));
  EXPECT_TRUE(HasEnded(LargeActionWith({{"failed", 1}, {"succeeded", 1000}})));
  EXPECT_TRUE(HasEnded(LargeActionWith({{"published", 0}, {"succeeded", 1001}})));
  EXPECT_FALSE(HasEnded(ActionWith({"published"})));
  EXPECT_TRUE(HasEnded(ActionWith({"offline"})));
  EXPECT_FALSE(HasEnded({{"action_id", "a"}})) << "an answer that tells nothing";
}

TEST(IsFinal, AStatusThatIsNotKnownMayStillChange) {
  for (const char* status :
       {"accepted", "queued", "published", "delivered", "running", "new-one", "-"}) {
    EXPECT_FALSE(IsFinal(status)) << status;
  }
  for (const char* status : {"succeeded", "failed", "expired", "offline", "unknown", "unauthorised",
                             "cancelled", "undeliverable"}) {
    EXPECT_TRUE(IsFinal(status)) << status;
  }
}

}  // namespace
}  // namespace heliograph::ctl
