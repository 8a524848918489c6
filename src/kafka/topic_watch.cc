#include "kafka/topic_watch.h"

#include <algorithm>

#include "base/thread_name.h"

namespace heliograph::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQuestionLimit{2000};
constexpr milliseconds kWhileAway{250};
constexpr milliseconds kBetween{1000};
constexpr milliseconds kWhileRight{60'000};
constexpr milliseconds kCountEvery{2000};
// Short, since whoever ends the watch may have to wait for it.
constexpr milliseconds kCountLimit{500};

}  // namespace

TopicWatch::TopicWatch(const ClusterConfig& cluster, const std::string& client_id,
                       std::vector<TopicPlan> plans, base::Wakeup& changed)
    : plans_(std::move(plans)),
      changed_(changed),
      admin_(cluster, client_id),
      steady_counts_(plans_.size()),
      counts_(plans_.size()),
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
  auto looked = std::chrono::steady_clock::now() - kWhileRight;
  auto counted = looked;
  while (!stop.stop_requested()) {
    (void)admin_.unreachable();  // its events must not pile up
    std::unique_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (look_now_ || !problem_.empty() || now - looked >= kWhileRight) {
      look_now_ = false;
      looked = now;
      lock.unlock();
      Look();
      lock.lock();
    } else if (now - counted >= kCountEvery) {
      counted = now;
      lock.unlock();
      Count();
      lock.lock();
    }
    wake_.wait_for(lock, stop, away_ ? kWhileAway : kBetween, [this] { return look_now_; });
  }
}

void TopicWatch::Look() {
  // No question while Kafka is known to be away: with one pending, librdkafka tries to connect
  // about a thousand times a second (seen with 2.0.2).
  const std::string away = asked_ ? admin_.unreachable() : "";
  away_ = !away.empty();
  if (away_) {
    if (!problem().empty()) Tell(away);  // what was right before is taken for right still
    return;
  }
  asked_ = true;
  const base::Result<TopicReport> report =
      EnsureTopics(admin_, plans_, MissingTopics::kCreate, kQuestionLimit);
  if (!report) return Tell(report.error().message);
  for (const std::string& name : report->created) logger_.Info("topic created", {{"topic", name}});
  for (std::size_t plan = 0; plan < plans_.size(); ++plan) {
    TellCount(plan, report->partitions[plan]);
  }
  for (const std::string& warning : report->findings.warnings) {
    if (std::find(told_.begin(), told_.end(), warning) != told_.end()) continue;
    logger_.Warn("topic differs from its configuration", {{"finding", warning}});
    told_.push_back(warning);
  }
  Tell(report->findings.faults.empty() ? "" : report->findings.faults.front());
}

void TopicWatch::Count() {
  if (!admin_.unreachable().empty()) return;
  for (std::size_t plan = 0; plan < plans_.size(); ++plan) {
    const auto count = admin_.PartitionCount(plans_[plan].spec.name, kCountLimit);
    if (!count) return;  // what is wrong the next look tells
    TellCount(plan, *count);
  }
}

void TopicWatch::TellCount(std::size_t plan, int partitions) {
  const int before = steady_counts_[plan].count();
  if (partitions == 0 || !steady_counts_[plan].Tell(partitions)) return;
  counts_[plan].store(partitions, std::memory_order_release);
  if (before == 0) return;
  logger_.Info("topic has another number of partitions",
               {{"topic", plans_[plan].spec.name}, {"partitions", partitions}, {"before", before}});
  changed_.Notify();
}

void TopicWatch::Tell(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  if (problem == problem_) return;
  if (problem.empty()) {
    logger_.Info("topics are usable");
  } else if (!away_) {
    logger_.Error(limit_, "topics are not usable", {{"reason", problem}});
  }
  problem_ = problem;
  changed_.Notify();
}

}  // namespace heliograph::kafka
