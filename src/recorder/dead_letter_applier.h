// `device.dead-letter`: what could not be processed can be listed and decided about.
#pragma once

#include <string>
#include <vector>

#include "metrics/metrics.h"
#include "postgres/dead_letter_store.h"
#include "recorder/applier.h"

namespace heliograph::recorder {

// Takes every record as it is: what is wrong with a dead letter is left out of it. Threads: one
// thread.
class DeadLetterApplier final : public Applier {
 public:
  DeadLetterApplier(std::string topic, metrics::Registry& metrics);

  std::span<const char* const> Headers() const override;
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
  const std::string topic_;
  metrics::Counter listed_;
  std::vector<postgres::LetterRecord> letters_;
};

}  // namespace heliograph::recorder
