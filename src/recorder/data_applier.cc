#include "recorder/data_applier.h"

#include "action/report.h"
#include "device/data_message.h"

namespace heliograph::recorder {
namespace {

// nullopt: it answers nothing after all.
std::optional<std::variant<action::Report, device::Unacceptable>> ReadReport(const Record& record) {
  if (!device::IsClientId(record.key)) {
    return device::Unacceptable{device::DeadLetterReason::kBadClientId,
                                "the record's key is not a client id"};
  }
  auto parsed = device::ParseDataMessage(record.payload);
  if (auto* why = std::get_if<device::Unacceptable>(&parsed)) return std::move(*why);
  const auto& message = std::get<device::DataMessage>(parsed);
  if (message.response_to.empty()) return std::nullopt;
  return action::ParseReport(message);
}

}  // namespace

DataApplier::DataApplier(metrics::Registry& metrics)
    : passed_over_(metrics.AddCounter("heliograph_recorder_telemetry_total",
                                      "Records of the data topic that answer nothing.")),
      applied_(metrics.AddCounter("heliograph_recorder_results_total",
                                  "Answers to actions that were news.")),
      repeats_(metrics.AddCounter(
          "heliograph_recorder_repeated_results_total",
          "Answers to actions that changed nothing: repeats, or after the end.")) {}

std::vector<Refusal> DataApplier::Prepare(std::span<const Record> records) {
  std::vector<Refusal> refused;
  reports_.clear();
  records_.clear();
  std::size_t passed_over = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    if (!device::MayBeAnswer(record.payload)) {
      ++passed_over;
      continue;
    }
    auto read = ReadReport(record);
    if (!read) {
      ++passed_over;
    } else if (auto* why = std::get_if<device::Unacceptable>(&*read)) {
      refused.push_back({i, device::DeadLetterReasonName(why->reason), std::move(why->detail)});
    } else {
      reports_.push_back(
          {device::ClientId(record.key), std::get<action::Report>(*std::move(read)), record.time});
      records_.push_back(i);
    }
  }
  passed_over_.Add(static_cast<double>(passed_over));
  return refused;
}

base::Result<std::vector<Refusal>> DataApplier::Apply(postgres::Transaction& transaction,
                                                      const Generations&) {
  effects_.clear();
  std::vector<Refusal> refused;
  if (reports_.empty()) return refused;
  auto effects = postgres::ApplyReports(transaction, reports_);
  if (!effects) return std::move(effects).error();
  effects_ = *std::move(effects);
  for (std::size_t i = 0; i < effects_.size(); ++i) {
    const std::string id = reports_[i].report.action_id.str();
    if (effects_[i] == postgres::ReportEffect::kUnknownAction) {
      refused.push_back({records_[i],
                         device::DeadLetterReasonName(device::DeadLetterReason::kUnknownAction),
                         "there is no action " + id});
    } else if (effects_[i] == postgres::ReportEffect::kNotATarget) {
      refused.push_back({records_[i],
                         device::DeadLetterReasonName(device::DeadLetterReason::kNotATarget),
                         "the device is not a target of action " + id});
    }
  }
  return refused;
}

void DataApplier::Committed(postgres::Connection&) {
  for (const postgres::ReportEffect effect : effects_) {
    if (effect == postgres::ReportEffect::kApplied) applied_.Add();
    if (effect == postgres::ReportEffect::kNoChange) repeats_.Add();
  }
  effects_.clear();
}

base::Status DataApplier::Take(postgres::Connection&, const postgres::LogOffset&) { return {}; }
void DataApplier::GiveUp(std::int32_t) {}
void DataApplier::Tick(const Offsets&) {}

}  // namespace heliograph::recorder
