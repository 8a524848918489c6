#include "postgres/action_results.h"

#include "store_fixture.h"

namespace heliograph::postgres {
namespace {

using action::TargetEvent;
using device::ClientId;

class ActionResultsTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    AddConnection("a", "online");
    AddConnection("b", "online");
    AddConnection("off", "offline");
    action_ = ActionFor({"a", "b", "off"});
    Must(store_.Create(action_));
  }

  ReceivedReport Report(const std::string& client_id, TargetEvent event,
                        const std::string& content = "null") {
    ReceivedReport received;
    received.client_id = ClientId(client_id);
    received.report.action_id = action_.action.id;
    received.report.event = event;
    received.report.content = content;
    received.received_at = base::Timestamp{std::chrono::seconds(1'700'000'000)};
    return received;
  }
  std::vector<ReportEffect> Apply(const std::vector<ReceivedReport>& reports) {
    auto session = Must(pool_.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
    auto transaction = Must(Transaction::Begin(*session));
    auto effects = Must(ApplyReports(transaction, reports));
    if (!transaction.Commit()) throw std::runtime_error("commit failed");
    return effects;
  }
  action::Target Target(const std::string& client_id) {
    return *Must(store_.GetTarget(action_.action.id, ClientId(client_id), std::nullopt));
  }

  NewAction action_;
};

using enum ReportEffect;

TEST_F(ActionResultsTest, FoldsReportsInTheirOrder) {
  ReceivedReport running = Report("a", TargetEvent::kRunning);
  running.report.progress = 40;
  running.report.note = "step 2";
  EXPECT_EQ(Apply({Report("a", TargetEvent::kDelivered), running, running,
                   Report("b", TargetEvent::kSucceeded, R"({"x":[1,"\u0000"]})")}),
            (std::vector{kApplied, kApplied, kNoChange, kApplied}));
  EXPECT_EQ(Target("a").status, action::TargetStatus::kRunning);
  EXPECT_EQ(Target("a").progress, 40);
  EXPECT_EQ(Target("a").note, "step 2");
  EXPECT_FALSE(Target("a").result);
  EXPECT_EQ(Target("b").status, action::TargetStatus::kSucceeded);
  EXPECT_EQ(Target("b").result->content, R"({"x":[1,"\u0000"]})");
  EXPECT_EQ(Target("b").result->received_at, base::Timestamp{std::chrono::seconds(1'700'000'000)});
  EXPECT_FALSE(Target("b").result->late);

  ReceivedReport failed = Report("a", TargetEvent::kFailed, "1");
  failed.report.reason = "too hot";
  failed.report.metadata = R"({"status":"failed"})";
  EXPECT_EQ(Apply({failed, Report("a", TargetEvent::kSucceeded, "2"), running}),
            (std::vector{kApplied, kNoChange, kNoChange}));
  EXPECT_EQ(Target("a").status, action::TargetStatus::kFailed);
  EXPECT_EQ(Target("a").reason, "too hot");
  EXPECT_EQ(Target("a").progress, 40) << "how far it came stays visible";
  EXPECT_EQ(Target("a").result->content, "1");
  EXPECT_EQ(Target("a").result->metadata, R"({"status":"failed"})");
}

TEST_F(ActionResultsTest, AnswersOvertakeThePubackAndStay) {
  EXPECT_EQ(Apply({Report("a", TargetEvent::kSucceeded)}), std::vector{kApplied});
  ASSERT_TRUE(store_.Finish({action_.request,
                             action_.action.id,
                             {{ClientId("a"), TargetEvent::kPublished, ""}},
                             {},
                             "{}"}));
  EXPECT_EQ(Target("a").status, action::TargetStatus::kSucceeded);
}

TEST_F(ActionResultsTest, ALateAnswerIsKeptOnce) {
  ASSERT_TRUE(store_.Finish({action_.request,
                             action_.action.id,
                             {{ClientId("a"), TargetEvent::kUndeliverable, "not_acknowledged"}},
                             {},
                             "{}"}));
  EXPECT_EQ(Apply({Report("a", TargetEvent::kRunning), Report("a", TargetEvent::kSucceeded, "1"),
                   Report("a", TargetEvent::kSucceeded, "2")}),
            (std::vector{kNoChange, kApplied, kNoChange}));
  const action::Target target = Target("a");
  EXPECT_EQ(target.status, action::TargetStatus::kUndeliverable);
  EXPECT_EQ(target.reason, "not_acknowledged");
  EXPECT_EQ(target.result->content, "1");
  EXPECT_TRUE(target.result->late);
  EXPECT_EQ(Apply({Report("a", TargetEvent::kFailed)}), std::vector{kNoChange});
}

TEST_F(ActionResultsTest, AfterTheDeadlineItIsTooLateWhetherOrNotAnybodyHasWrittenSo) {
  const auto stored = Must(store_.Get(action_.action.id, std::nullopt));
  ReceivedReport in_time = Report("a", TargetEvent::kSucceeded, "1");
  in_time.received_at = stored->deadline;
  ReceivedReport too_late = Report("b", TargetEvent::kSucceeded, "2");
  too_late.received_at = stored->deadline + std::chrono::microseconds(1);
  EXPECT_EQ(Apply({in_time, too_late}), (std::vector{kApplied, kApplied}));
  EXPECT_EQ(Target("a").status, action::TargetStatus::kSucceeded);
  EXPECT_EQ(Target("b").status, action::TargetStatus::kExpired);
  EXPECT_EQ(Target("b").reason, "no_answer");
  EXPECT_EQ(Target("b").result->content, "2");
  EXPECT_TRUE(Target("b").result->late);
}

TEST_F(ActionResultsTest, CountsOnlyFromTargets) {
  ReceivedReport unknown = Report("a", TargetEvent::kSucceeded);
  unknown.report.action_id = action::NewActionId({});
  EXPECT_EQ(Apply({unknown, Report("stranger", TargetEvent::kSucceeded),
                   Report("off", TargetEvent::kSucceeded)}),
            (std::vector{kUnknownAction, kNotATarget, kNoChange}));
  EXPECT_FALSE(Target("off").result) << "nothing was sent to it";
  EXPECT_TRUE(Apply({}).empty());
}

TEST_F(ActionResultsTest, RollsBackWithItsTransaction) {
  auto session = Must(pool_.Acquire(std::chrono::steady_clock::now() + std::chrono::seconds(5)));
  {
    auto transaction = Must(Transaction::Begin(*session));
    const std::vector<ReceivedReport> reports{Report("a", TargetEvent::kSucceeded)};
    EXPECT_EQ(Must(ApplyReports(transaction, reports)), std::vector{kApplied});
  }
  EXPECT_EQ(Target("a").status, action::TargetStatus::kAccepted);
}

}  // namespace
}  // namespace heliograph::postgres
