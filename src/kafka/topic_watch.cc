#include "kafka/topic_watch.h"

#include <algorithm>

#include "base/thread_name.h"

namespace heliograph::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQuestionLimit{2000};
constexpr milliseconds kWhileWrong{1000};
constexpr milliseconds kWhileRight{60'000};

}  // namespace

TopicWatch::TopicWatch(const ClusterConfig& cluster, const std::string& client_id,
                       std::vector<TopicPlan> plans, base::Wakeup& changed)
    : plans_(std::move(plans)),
      changed_(changed),
      admin_(cluster, client_id),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

TopicWatch::~TopicWatch() = default;

std::string TopicWatch::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void TopicWatch::LookAgain() {
  const std::lock_guard lock(mutex_);
  if (problem_.empty()) problem_ = "the topics are being looked at again";
  look_now_ = true;
  wake_.notify_all();
}

void TopicWatch::Run(const std::stop_token& stop) {
  base::NameThisThread("kafka-topics");
  while (!stop.stop_requested()) {
    Look();
    std::unique_lock lock(mutex_);
    const milliseconds wait = problem_.empty() ? kWhileRight : kWhileWrong;
    wake_.wait_for(lock, stop, wait, [this] { return look_now_; });
    look_now_ = false;
  }
}

void TopicWatch::Look() {
  const base::Result<TopicReport> report =
      EnsureTopics(admin_, plans_, MissingTopics::kCreate, kQuestionLimit);
  std::string problem;
  if (!report) {
    problem = report.error().message;
  } else {
    for (const std::string& name : report->created)
      logger_.Info("topic created", {{"topic", name}});
    for (const std::string& warning : report->findings.warnings) {
      if (std::find(told_.begin(), told_.end(), warning) != told_.end()) continue;
      logger_.Warn("topic differs from its configuration", {{"finding", warning}});
      told_.push_back(warning);
    }
    if (!report->findings.faults.empty()) problem = report->findings.faults.front();
  }
  const std::lock_guard lock(mutex_);
  if (problem == problem_) return;
  if (!problem.empty()) logger_.Error("topics are not usable", {{"reason", problem}});
  if (problem.empty()) logger_.Info("topics are usable");
  problem_ = std::move(problem);
  changed_.Notify();
}

}  // namespace heliograph::kafka
