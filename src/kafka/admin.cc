#include "kafka/admin.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>

#include "kafka/client.h"
#include "kafka/queries.h"

namespace heliograph::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using EventHandle = base::UniqueHandle<rd_kafka_event_t, rd_kafka_event_destroy>;
using OptionsHandle = base::UniqueHandle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using NewTopicHandle = base::UniqueHandle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using ResourceHandle =
    base::UniqueHandle<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;

constexpr milliseconds kLookAgainAfter{100};  // a created topic shows after some milliseconds

}  // namespace

class Admin::State final : public ClientState {
 public:
  State(const ClusterConfig& cluster, const std::string& client_id) {
    // A consumer's handle: a producer's question for a topic's partitions could create the topic.
    ConfHandle conf = MakeConf(
        cluster, {}, {{"client.id", client_id}, {"allow.auto.create.topics", "false"}}, *this);
    rd_kafka_conf_set_error_cb(conf.get(),
                               [](rd_kafka_t*, int code, const char* text, void* opaque) noexcept {
                                 static_cast<ClientState*>(opaque)->reachability.OnError(
                                     static_cast<rd_kafka_resp_err_t>(code), text);
                               });
    rd_kafka_conf_set_stats_cb(conf.get(), [](rd_kafka_t*, char* json, std::size_t size,
                                              void* opaque) noexcept {
      static_cast<ClientState*>(opaque)->reachability.OnStatistics(std::string_view(json, size));
      return 0;
    });
    client_ = MakeClient(RD_KAFKA_CONSUMER, std::move(conf));
    queue_.reset(rd_kafka_queue_new(client_.get()));
  }

  rd_kafka_t* client() {
    rd_kafka_poll(client_.get(), 0);  // errors and statistics
    return client_.get();
  }
  rd_kafka_queue_t* queue() { return queue_.get(); }

  OptionsHandle Options(rd_kafka_admin_op_t operation, milliseconds limit) {
    OptionsHandle options(rd_kafka_AdminOptions_new(client_.get(), operation));
    std::array<char, 128> why{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(limit.count()),
                                              why.data(), why.size());
    return options;
  }

  // The answer to the one question that was asked.
  base::Result<EventHandle> Answer(milliseconds limit, const std::string& doing) {
    EventHandle event(rd_kafka_queue_poll(queue_.get(), static_cast<int>(limit.count()) + 1000));
    if (!event)
      return base::MakeError(base::ErrorCode::kDeadlineExceeded,
                             doing + ": Kafka did not answer in time");
    const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const std::string why = reachability.Reason();
      base::Error error = ToError(code, doing);
      if (!why.empty()) error.message += "; " + why;
      return error;
    }
    return event;
  }

 private:
  ClientHandle client_;
  QueueHandle queue_;
};

Admin::Admin(const ClusterConfig& cluster, const std::string& client_id)
    : state_(std::make_unique<State>(cluster, client_id)) {}

Admin::~Admin() = default;

base::Result<std::optional<TopicState>> Admin::Describe(const std::string& topic,
                                                        milliseconds limit) {
  const std::string doing = "asking for the settings of topic " + topic;
  const ResourceHandle resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  std::array<rd_kafka_ConfigResource_t*, 1> resources = {resource.get()};
  const OptionsHandle options = state_->Options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, limit);
  rd_kafka_DescribeConfigs(state_->client(), resources.data(), resources.size(), options.get(),
                           state_->queue());
  base::Result<EventHandle> event = state_->Answer(limit, doing);
  if (!event) return std::move(event).error();

  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** answers = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  if (count != 1) return ToError(RD_KAFKA_RESP_ERR__BAD_MSG, doing);
  const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(answers[0]);
  if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::optional<TopicState>();
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return ToError(code, doing);

  TopicState state;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(answers[0], &count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    if (value != nullptr) state.settings[rd_kafka_ConfigEntry_name(entries[i])] = value;
  }
  const base::Result<TopicShape> shape = QueryShape(*state_->client(), topic, limit);
  if (!shape) return shape.error();
  state.partitions = shape->partitions;
  state.replicas = shape->replicas;
  return std::optional<TopicState>(std::move(state));
}

base::Result<int> Admin::PartitionCount(const std::string& topic, milliseconds limit) {
  const base::Result<TopicShape> shape = QueryShape(*state_->client(), topic, limit);
  if (!shape) return shape.error();
  return shape->partitions;
}

base::Status Admin::Create(const TopicPlan& plan, milliseconds limit) {
  const std::string doing = "creating topic " + plan.spec.name;
  std::array<char, 512> why{};
  const NewTopicHandle topic(rd_kafka_NewTopic_new(plan.spec.name.c_str(), plan.spec.partitions,
                                                   plan.spec.replicas, why.data(), why.size()));
  if (!topic) return base::MakeError(base::ErrorCode::kInvalidArgument, doing + ": " + why.data());
  for (const auto& [name, value] : TopicSettings(plan)) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  const OptionsHandle options = state_->Options(RD_KAFKA_ADMIN_OP_CREATETOPICS, limit);
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), static_cast<int>(limit.count()),
                                              why.data(), why.size());
  std::array<rd_kafka_NewTopic_t*, 1> topics = {topic.get()};
  rd_kafka_CreateTopics(state_->client(), topics.data(), topics.size(), options.get(),
                        state_->queue());
  base::Result<EventHandle> event = state_->Answer(limit, doing);
  if (!event) return std::move(event).error();

  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  if (count != 1) return ToError(RD_KAFKA_RESP_ERR__BAD_MSG, doing);
  const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const char* detail = rd_kafka_topic_result_error_string(results[0]);
  return base::MakeError(ToErrorCode(code),
                         doing + ": " + (detail != nullptr ? detail : rd_kafka_err2str(code)));
}

std::string Admin::unreachable() const {
  (void)state_->client();  // takes in what has happened since the last call
  return state_->reachability.Reason();
}

namespace {

// Waits for a topic that was just created to show.
base::Result<std::optional<TopicState>> DescribeSoon(Admin& admin, const std::string& topic,
                                                     milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  for (;;) {
    base::Result<std::optional<TopicState>> state = admin.Describe(topic, limit);
    const bool there = state && state->has_value();
    const bool gone = !state && state.error().code != base::ErrorCode::kNotFound;
    if (there || gone || steady_clock::now() >= deadline) return state;
    std::this_thread::sleep_for(kLookAgainAfter);
  }
}

}  // namespace

base::Result<TopicReport> EnsureTopics(Admin& admin, std::span<const TopicPlan> plans,
                                       MissingTopics missing, milliseconds limit) {
  TopicReport report;
  for (const TopicPlan& plan : plans) {
    base::Result<std::optional<TopicState>> state = admin.Describe(plan.spec.name, limit);
    if (state && !state->has_value() && missing == MissingTopics::kCreate) {
      const base::Status created = admin.Create(plan, limit);
      if (created) {
        report.created.push_back(plan.spec.name);
        const std::string warning = CreationWarning(plan);
        if (!warning.empty()) report.findings.warnings.push_back(warning);
      } else if (created.error().code !=
                 base::ErrorCode::kAlreadyExists) {  // another process was faster
        return created.error();
      }
      state = DescribeSoon(admin, plan.spec.name, limit);
    }
    if (!state) return std::move(state).error();
    report.partitions.push_back(state->has_value() ? (*state)->partitions : 0);
    if (!state->has_value()) {
      report.findings.faults.push_back("topic " + plan.spec.name + " is missing");
      continue;
    }
    TopicFindings findings = CompareTopic(plan, **state);
    std::ranges::move(findings.faults, std::back_inserter(report.findings.faults));
    std::ranges::move(findings.warnings, std::back_inserter(report.findings.warnings));
  }
  return report;
}

}  // namespace heliograph::kafka
