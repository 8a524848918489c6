#include "kafka/topics.h"

#include <charconv>
#include <cstdint>

namespace heliograph::kafka {
namespace {

// The number in a setting; `otherwise` where the broker did not tell.
std::int64_t Number(const TopicState& state, const std::string& name, std::int64_t otherwise) {
  const auto at = state.settings.find(name);
  if (at == state.settings.end()) return otherwise;
  std::int64_t value = otherwise;
  std::from_chars(at->second.data(), at->second.data() + at->second.size(), value);
  return value;
}

std::string Text(const TopicState& state, const std::string& name) {
  const auto at = state.settings.find(name);
  return at == state.settings.end() ? "" : at->second;
}

// With three replicas or more one may be lost and records are still safe and taken. With two it is
// one or the other.
int InSyncReplicas(int replicas) { return replicas >= 3 ? 2 : 1; }

}  // namespace

std::map<std::string, std::string> TopicSettings(const TopicPlan& plan) {
  std::map<std::string, std::string> settings = {
      {"min.insync.replicas", std::to_string(InSyncReplicas(plan.spec.replicas))},
      {"message.timestamp.type", "LogAppendTime"},
      {"max.message.bytes", std::to_string(plan.max_message_bytes)},
      {"cleanup.policy", "delete"},
  };
  if (plan.keep_for_ever) {
    settings["retention.ms"] = "-1";
    settings["retention.bytes"] = "-1";
  }
  return settings;
}

TopicFindings CompareTopic(const TopicPlan& plan, const TopicState& state) {
  TopicFindings findings;
  const std::string topic = "topic " + plan.spec.name;
  const std::string time = Text(state, "message.timestamp.type");
  if (!time.empty() && time != "LogAppendTime") {
    findings.faults.push_back(topic + " has message.timestamp.type=" + time +
                              "; it must be LogAppendTime");
  }
  const auto wanted = static_cast<std::int64_t>(plan.max_message_bytes);
  const std::int64_t largest = Number(state, "max.message.bytes", wanted);
  if (largest < wanted) {
    findings.faults.push_back(topic + " has max.message.bytes=" + std::to_string(largest) +
                              "; the largest packet needs " + std::to_string(wanted));
  }
  const std::string policy = Text(state, "cleanup.policy");
  if (policy.find("compact") != policy.npos) {
    findings.faults.push_back(
        topic + " has cleanup.policy=" + policy +
        ", which drops all but the last record of a device; it must be delete");
  }
  if (state.partitions != plan.spec.partitions) {
    findings.warnings.push_back(topic + " has " + std::to_string(state.partitions) +
                                " partitions, configured are " +
                                std::to_string(plan.spec.partitions) + "; it is left as it is");
  }
  if (state.replicas != plan.spec.replicas) {
    findings.warnings.push_back(topic + " has " + std::to_string(state.replicas) +
                                " replicas, configured are " + std::to_string(plan.spec.replicas) +
                                "; it is left as it is");
  }
  const std::int64_t in_sync = Number(state, "min.insync.replicas", 1);
  if (in_sync < InSyncReplicas(state.replicas)) {
    findings.warnings.push_back(topic + " has min.insync.replicas=" + std::to_string(in_sync) +
                                ": the loss of one broker can lose records that were acknowledged");
  }
  if (in_sync > state.replicas) {
    findings.faults.push_back(topic + " has min.insync.replicas=" + std::to_string(in_sync) +
                              " but only " + std::to_string(state.replicas) +
                              " replicas: it can never take a record");
  }
  const bool for_ever =
      Number(state, "retention.ms", -1) == -1 && Number(state, "retention.bytes", -1) == -1;
  if (plan.keep_for_ever && !for_ever) {
    findings.warnings.push_back(
        topic +
        " is not kept for ever (retention.ms, retention.bytes): what is older than "
        "the log cannot be rebuilt");
  }
  return findings;
}

std::string CreationWarning(const TopicPlan& plan) {
  if (plan.spec.replicas != 2) return "";
  return "topic " + plan.spec.name +
         " has two replicas and min.insync.replicas=1: it stays available when one broker is away, "
         "and what was "
         "acknowledged meanwhile is lost with the other; three replicas give both";
}

}  // namespace heliograph::kafka
