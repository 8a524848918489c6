#include "ctl/state.h"

#include <chrono>
#include <memory>

#include "base/startup_error.h"
#include "ctl/record_limit.h"
#include "json/json.h"
#include "owner/rules_file.h"
#include "recorder/rebuild.h"

namespace heliograph::ctl {
namespace {

using base::Result;

Result<std::unique_ptr<owner::Resolver>> OpenOwners(const std::string& file) {
  std::unique_ptr<owner::Resolver> resolver;
  if (file.empty()) return resolver;
  owner::RulesConfig config;
  config.rules_file = file;
  try {
    resolver = std::make_unique<owner::RulesFile>(config);
  } catch (const base::StartupError& error) {
    return base::MakeError(base::ErrorCode::kInvalidArgument, error.what());
  }
  return resolver;
}

// A line about once a second; redrawn in place on a terminal.
class Progress {
 public:
  explicit Progress(const Console& console) : console_(console) {}

  void operator()(std::int64_t done, std::int64_t all) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_ && done < all) return;
    next_ = now + std::chrono::seconds(1);
    console_.err << (console_.terminal ? "\r" : "") << done << " of " << all << " records"
                 << (console_.terminal ? "   " : "\n") << std::flush;
    open_line_ = console_.terminal;
  }

  void Finish() const {
    if (open_line_) console_.err << '\n';
  }

 private:
  const Console& console_;
  std::chrono::steady_clock::time_point next_{};
  bool open_line_ = false;
};

void Tell(const recorder::RebuildReport& report, const Console& console) {
  if (console.json) {
    console.out << json::Write({{"records", report.records},
                                {"refused", report.refused},
                                {"connections", report.connections},
                                {"intervals", report.intervals},
                                {"changed_rows", report.changed_rows},
                                {"older_than_log", report.older_than_log}})
                << '\n';
    return;
  }
  console.out << report.records << " records read, " << report.refused << " of them dead letters\n"
              << report.connections << " connections, " << report.intervals << " stays online\n"
              << report.changed_rows << " rows were not as the log says, and are now\n";
  if (report.older_than_log > 0) {
    console.out << report.older_than_log
                << " connections are older than the log; they stay as they were, marked\n";
  }
}

}  // namespace

Result<ExitCode> RebuildState(const RebuildStateOptions& options, const Console& console) {
  auto resolver = OpenOwners(options.owners);
  if (!resolver) return std::move(resolver).error();
  auto kafka = options.kafka.ToConfig();
  if (!kafka) return std::move(kafka).error();
  auto postgres = options.postgres.ToConfig();
  if (!postgres) return std::move(postgres).error();
  Progress progress(console);
  recorder::RebuildOptions rebuild;
  rebuild.kafka = *std::move(kafka);
  rebuild.postgres = *std::move(postgres);
  rebuild.control_topic = options.topic;
  rebuild.max_message_bytes = MaxRecordBytes(options.max_packet_bytes);
  rebuild.resolver = resolver->get();
  rebuild.on_progress = [&](std::int64_t done, std::int64_t all) { progress(done, all); };
  const auto report = recorder::Rebuild(rebuild);
  progress.Finish();
  if (!report) return report.error();
  Tell(*report, console);
  return ExitCode::kOk;
}

}  // namespace heliograph::ctl
