#include "ctl/topics.h"

#include <chrono>
#include <set>

#include "ctl/record_limit.h"
#include "json/json.h"
#include "kafka/admin.h"

namespace heliograph::ctl {
namespace {

using base::Result;

json::Value ToJson(const std::vector<std::string>& sentences) { return json::Value(sentences); }

ExitCode Tell(const kafka::TopicReport& report, const Console& console) {
  const ExitCode code = report.findings.faults.empty() ? ExitCode::kOk : ExitCode::kNo;
  if (console.json) {
    console.out << json::WriteIndented({{"created", ToJson(report.created)},
                                        {"faults", ToJson(report.findings.faults)},
                                        {"warnings", ToJson(report.findings.warnings)}})
                << '\n';
    return code;
  }
  for (const std::string& name : report.created)
    console.out << "created " << Printable(name) << '\n';
  for (const std::string& text : report.findings.faults)
    console.out << "fault: " << Printable(text) << '\n';
  for (const std::string& text : report.findings.warnings)
    console.out << "warning: " << Printable(text) << '\n';
  if (report.created.empty() && report.findings.faults.empty() &&
      report.findings.warnings.empty()) {
    console.out << "every topic is there and is as it should be\n";
  }
  return code;
}

Result<ExitCode> Run(const TopicsOptions& options, kafka::MissingTopics missing,
                     const Console& console) {
  const auto plans = PlansOf(options);
  if (!plans) return plans.error();
  const auto cluster = options.kafka.ToConfig();
  if (!cluster) return cluster.error();
  kafka::Admin admin(*cluster, "heliograph-ctl");
  const auto limit = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_s * 1000));
  const auto report = kafka::EnsureTopics(admin, *plans, missing, limit);
  if (!report) return report.error();
  return Tell(*report, console);
}

}  // namespace

Result<std::vector<kafka::TopicPlan>> PlansOf(const TopicsOptions& options) {
  std::vector<kafka::TopicPlan> plans;
  std::set<std::string> names;
  for (const std::string& text : options.topics) {
    auto spec = kafka::ParseTopicSpec(text);
    if (!spec) return std::move(spec).error();
    if (!names.insert(spec->name).second) {
      return base::MakeError(base::ErrorCode::kInvalidArgument,
                             "topic " + spec->name + " is named twice");
    }
    kafka::TopicPlan plan;
    plan.spec = *std::move(spec);
    plan.keep_for_ever = plan.spec.name == options.keep;
    plan.max_message_bytes = MaxRecordBytes(options.max_packet_bytes);
    plans.push_back(std::move(plan));
  }
  return plans;
}

Result<ExitCode> ApplyTopics(const TopicsOptions& options, const Console& console) {
  return Run(options, kafka::MissingTopics::kCreate, console);
}

Result<ExitCode> CheckTopics(const TopicsOptions& options, const Console& console) {
  return Run(options, kafka::MissingTopics::kReport, console);
}

}  // namespace heliograph::ctl
