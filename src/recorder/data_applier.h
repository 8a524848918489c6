// `device.data`: what devices answer to actions becomes results; telemetry is passed over.
#pragma once

#include <vector>

#include "metrics/metrics.h"
#include "postgres/action_results.h"
#include "recorder/applier.h"

namespace heliograph::recorder {

// Threads: one thread.
class DataApplier final : public Applier {
 public:
  explicit DataApplier(metrics::Registry& metrics);

  std::vector<Refusal> Prepare(std::span<const Record> records) override;
  base::Result<std::vector<Refusal>> Apply(postgres::Transaction& transaction,
                                           const Generations& generations) override;
  void Committed(postgres::Connection& connection) override;
  base::Status Take(postgres::Connection& connection, const postgres::LogOffset& offset) override;
  void GiveUp(std::int32_t partition) override;
  void Tick(const Offsets& offsets) override;
  bool Congested() const override { return false; }
  void Finish() override {}

 private:
  metrics::Counter passed_over_;
  metrics::Counter applied_;
  metrics::Counter repeats_;
  std::vector<postgres::ReceivedReport> reports_;
  std::vector<std::size_t> records_;  // of each report, its record's index
  std::vector<postgres::ReportEffect> effects_;
};

}  // namespace heliograph::recorder
