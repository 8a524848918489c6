#include "recorder/recorder.h"

#include <unistd.h>

#include <array>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "base/pause.h"
#include "base/startup_error.h"
#include "base/thread_name.h"
#include "base/wakeup.h"
#include "kafka/admin.h"
#include "kafka/topic_watch.h"
#include "recorder/control_applier.h"
#include "recorder/data_applier.h"
#include "recorder/dead_letter_applier.h"
#include "recorder/result_feed.h"

namespace heliograph::recorder {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kHealthEvery{500};
constexpr milliseconds kAskKafka{3000};
constexpr std::size_t kRoomForHeaders = 16 * 1024;

std::string NameOf(const std::string& topic) { return kafka::ParseTopicSpec(topic)->name; }

postgres::Config WithFixedPlans(postgres::Config config) {
  // Estimates for arrays change with every batch; index look-ups are right for all of them.
  config.session_setup = "SET plan_cache_mode = force_generic_plan";
  return config;
}

// It has a session of its own, so that batches need not wait for it.
postgres::Config ForResults(postgres::Config config) {
  config.pool_size = 1;
  config.session_setup = postgres::kByKeysOnly;
  return config;
}

std::vector<kafka::TopicPlan> Plans(const Config& config) {
  const auto plan = [&](const std::string& topic, bool keep_for_ever) {
    return kafka::TopicPlan{*kafka::ParseTopicSpec(topic), keep_for_ever,
                            config.max_message_bytes()};
  };
  return {plan(config.topics.control, true),
          plan(config.topics.data, false),
          plan(config.topics.dead_letter, false),
          plan(config.topics.results, false),
          plan(config.topics.action_dead_letter, false),
          plan(config.topics.events, false)};
}

std::string InstanceOf(const Config& config) {
  if (!config.kafka.group_instance_id.empty()) return config.kafka.group_instance_id;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return "recorder";
  return host.data();
}

// A static member that comes back gets what it had, without a rebalance; where it leads the group
// and the topic has more partitions by then, nobody would get the new ones. So it comes back as
// another member then: with the number of partitions in its name.
std::string MemberName(const Config& config, const std::string& role, int partitions) {
  return InstanceOf(config) + "." + role + "." + std::to_string(partitions);
}

FollowerOptions OptionsFor(const Config& config, const std::string& topic, const std::string& role,
                           int partitions) {
  FollowerOptions options;
  options.topic = NameOf(topic);
  options.cluster = config.kafka.cluster;
  options.consumer.client_id = "heliograph-recorder-" + role;
  options.consumer.group_id = config.kafka.group_id + "." + role;
  options.consumer.group_instance_id = MemberName(config, role, partitions);
  options.consumer.max_message_bytes = config.max_message_bytes();
  options.batch = config.batch;
  return options;
}

// The first has the name that a single one always had, so that a change of the setting moves as
// little as can be.
std::string RoleOf(std::int64_t worker) {
  return worker == 0 ? "control" : "control-" + std::to_string(worker + 1);
}

FollowerOptions ControlOptionsOf(const Config& config, std::int64_t worker, int partitions) {
  FollowerOptions options = OptionsFor(config, config.topics.control, "control", partitions);
  options.consumer.group_instance_id = MemberName(config, RoleOf(worker), partitions);
  options.order_across_partitions = true;
  return options;
}

// One follower with what it needs, in the order in which they depend on each other. Nothing is
// shared between workers but what any thread may use.
struct Control {
  Control(const Config& config, FollowerOptions its_options, postgres::Pool& pool,
          owner::Resolver& resolver, metrics::Registry& metrics, const kafka::TopicWatch& events)
      : options(std::move(its_options)),
        publisher(config.kafka.cluster, "heliograph-recorder-events", config.max_message_bytes()),
        letters(publisher, NameOf(config.topics.dead_letter), options.topic,
                config.max_message_bytes() - kRoomForHeaders, metrics),
        meters(metrics, options.topic),
        applier({options.topic, NameOf(config.topics.events),
                 config.max_message_bytes() - kRoomForHeaders},
                pool, resolver, publisher, metrics),
        follower(options, {pool, applier, publisher, letters, meters}) {
    publisher.OrderAcrossPartitions(NameOf(config.topics.events),
                                    [&events] { return events.partitions(0); });
  }

  FollowerOptions options;
  Publisher publisher;
  DeadLetters letters;
  Meters meters;
  ControlApplier applier;
  Follower follower;
};

// What may be kept for less time than we were away.
FollowerOptions FleetingOptions(const Config& config, const std::string& topic,
                                const std::string& role, int partitions) {
  FollowerOptions options = OptionsFor(config, topic, role, partitions);
  options.missing = Missing::kGoOn;
  return options;
}

// As Control, for what needs no order across partitions and has no events.
template <class ItsApplier>
struct Simple {
  template <class... Arguments>
  Simple(const Config& config, FollowerOptions its_options, postgres::Pool& pool,
         metrics::Registry& metrics, Arguments&&... arguments)
      : options(std::move(its_options)),
        publisher(config.kafka.cluster, options.consumer.client_id, config.max_message_bytes()),
        letters(publisher, NameOf(config.topics.dead_letter), options.topic,
                config.max_message_bytes() - kRoomForHeaders, metrics),
        meters(metrics, options.topic),
        applier(std::forward<Arguments>(arguments)..., metrics),
        follower(options, {pool, applier, publisher, letters, meters}) {}

  FollowerOptions options;
  Publisher publisher;
  DeadLetters letters;
  Meters meters;
  ItsApplier applier;
  Follower follower;
};

}  // namespace

Recorder::Recorder(const Config& config, owner::Resolver& resolver, base::Health& health,
                   metrics::Registry& metrics)
    : config_(config),
      resolver_(resolver),
      health_(health),
      metrics_(metrics),
      pool_(WithFixedPlans(config.postgres), "heliograph-recorder"),
      results_pool_(ForResults(config.postgres), "heliograph-recorder-results") {
  for (const char* dependency :
       {"kafka", "postgres", "owners", "control", "data", "letters", "results"}) {
    health_.SetNotReady(dependency, "not asked yet");
  }
}

void Recorder::Tell(const std::string& dependency, const std::string& trouble) {
  if (trouble.empty()) {
    health_.SetReady(dependency);
  } else {
    health_.SetNotReady(dependency, trouble);
  }
}

void Recorder::TellOwners() {
  const owner::Condition condition = resolver_.condition();
  if (condition.usable && !condition.trouble.empty()) {
    health_.SetDegraded("owners", condition.trouble);
  } else {
    Tell("owners", condition.trouble);
  }
}

bool Recorder::EnsureTopics(const std::stop_token& stop) {
  kafka::Admin admin(config_.kafka.cluster, "heliograph-recorder-admin");
  const auto plans = Plans(config_);
  log::RateLimit limit(std::chrono::seconds(30));
  while (!stop.stop_requested()) {
    const auto report = kafka::EnsureTopics(admin, plans, kafka::MissingTopics::kCreate, kAskKafka);
    if (report) {
      for (const std::string& name : report->created) log_.Info("topic created", {{"topic", name}});
      for (const std::string& warning : report->findings.warnings)
        log_.Warn("topic", {{"what", warning}});
      if (!report->findings.faults.empty())
        throw base::StartupError(report->findings.faults.front());
      control_partitions_ = report->partitions[0];
      data_partitions_ = report->partitions[1];
      letters_partitions_ = report->partitions[2];
      return true;
    }
    log_.Warn(limit, "topics cannot be looked at yet", {{"why", report.error().message}});
    Tell("kafka", report.error().message);
    TellOwners();
    const auto ping = pool_.Ping(kHealthEvery);
    Tell("postgres", ping ? "" : ping.error().message);
    base::Pause(stop, kHealthEvery);
  }
  return false;
}

int Recorder::Run(const std::stop_token& stop) {
  if (!EnsureTopics(stop)) return 0;
  return Follow(stop);
}

int Recorder::Follow(const std::stop_token& stop) {
  base::Wakeup nobody;  // waits for it: whoever publishes asks
  const kafka::TopicWatch events(config_.kafka.cluster, "heliograph-recorder-topics",
                                 {Plans(config_).back()}, nobody);
  std::vector<std::unique_ptr<Control>> controls;
  for (std::int64_t worker = 0; worker < config_.batch.workers; ++worker) {
    controls.push_back(
        std::make_unique<Control>(config_, ControlOptionsOf(config_, worker, control_partitions_),
                                  pool_, resolver_, metrics_, events));
  }
  Simple<DataApplier> data(config_,
                           FleetingOptions(config_, config_.topics.data, "data", data_partitions_),
                           pool_, metrics_);
  Simple<DeadLetterApplier> letters(
      config_,
      FleetingOptions(config_, config_.topics.dead_letter, "dead-letter", letters_partitions_),
      pool_, metrics_, NameOf(config_.topics.dead_letter));
  Publisher results_publisher(config_.kafka.cluster, "heliograph-recorder-results",
                              config_.max_message_bytes());
  ResultFeed results({NameOf(config_.topics.results), NameOf(config_.topics.action_dead_letter),
                      InstanceOf(config_)},
                     results_pool_, results_publisher, metrics_);
  using Work = std::function<void(const std::stop_token&)>;
  const auto follow = [](Follower& follower) -> Work {
    return [&follower](const std::stop_token& token) { follower.Run(token); };
  };
  std::vector<std::pair<std::string, Work>> works;
  for (std::size_t worker = 0; worker < controls.size(); ++worker) {
    works.emplace_back("rec-" + RoleOf(static_cast<std::int64_t>(worker)),
                       follow(controls[worker]->follower));
  }
  works.emplace_back("rec-data", follow(data.follower));
  works.emplace_back("rec-letters", follow(letters.follower));
  works.emplace_back("rec-results",
                     [&results](const std::stop_token& token) { results.Run(token); });
  for (std::size_t n = 1; n <= resolver_.servers(); ++n) {
    works.emplace_back("owners-" + std::to_string(n),
                       [this](const std::stop_token& token) { resolver_.Serve(token); });
  }
  std::stop_source ending;
  const std::stop_callback forward(stop, [&ending] { ending.request_stop(); });
  std::atomic<bool> failed = false;
  const auto run = [&](const std::string& name, const Work& work) {
    base::NameThisThread(name.c_str());
    try {
      work(ending.get_token());
    } catch (const std::exception& error) {
      log_.Error("a thread cannot go on", {{"thread", name}, {"why", error.what()}});
      failed = true;
      ending.request_stop();
    }
  };
  std::vector<std::jthread> threads;
  for (const auto& [name, work] : works) threads.emplace_back(run, name, work);
  while (!ending.stop_requested()) {
    std::vector<Follower::Status> statuses;
    for (const auto& control : controls) statuses.push_back(control->follower.status());
    TellHealth(statuses, data.follower.status(), letters.follower.status());
    Tell("results", results.trouble());
    base::Pause(ending.get_token(), kHealthEvery);
  }
  threads.clear();
  return failed ? 1 : 0;
}

// Of several that are in trouble the first is told.
void Recorder::TellHealth(std::span<const Follower::Status> controls, const Follower::Status& data,
                          const Follower::Status& letters) {
  std::string kafka;
  std::string control;
  const auto trouble = [&kafka](const Follower::Status& one) {
    if (kafka.empty()) kafka = one.kafka;
    return one.log.empty() ? one.state : one.log;
  };
  for (const Follower::Status& one : controls) {
    if (const std::string why = trouble(one); control.empty()) control = why;
  }
  Tell("control", control);
  Tell("data", trouble(data));
  Tell("letters", trouble(letters));
  Tell("kafka", kafka);
  TellOwners();
  const auto ping = pool_.Ping(kHealthEvery);
  Tell("postgres", ping ? "" : ping.error().message);
}

}  // namespace heliograph::recorder
