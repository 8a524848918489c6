#include "recorder/meters.h"

#include <cmath>

namespace heliograph::recorder {

Meters::Meters(metrics::Registry& metrics, const std::string& topic)
    : records(metrics.AddCounter("heliograph_recorder_records_total", "Records that were applied.",
                                 {{"topic", topic}})),
      batches(metrics.AddCounter("heliograph_recorder_batches_total",
                                 "Transactions that were committed.", {{"topic", topic}})),
      failed_batches(metrics.AddCounter("heliograph_recorder_failed_batches_total",
                                        "Transactions that failed and are tried again.",
                                        {{"topic", topic}})),
      fenced(metrics.AddCounter(
          "heliograph_recorder_fenced_total",
          "Batches that were dropped because another process had moved the offset.",
          {{"topic", topic}})),
      missing_records(metrics.AddCounter("heliograph_recorder_missing_records_total",
                                         "Records that Kafka had deleted before they were applied.",
                                         {{"topic", topic}})),
      batch_seconds(metrics.AddHistogram("heliograph_recorder_batch_seconds",
                                         "From a batch's records in hand to its commit.",
                                         metrics::LatencyBuckets(), {{"topic", topic}})),
      metrics_(metrics),
      topic_(topic) {}

void Meters::SetLag(std::int32_t partition, std::int64_t records_behind) const {
  metrics_
      .AddGauge("heliograph_recorder_lag_records",
                "Records in Kafka that were not applied yet; NaN where another process follows the "
                "partition.",
                {{"topic", topic_}, {"partition", std::to_string(partition)}})
      .Set(static_cast<double>(records_behind));
}

void Meters::ForgetLag(std::int32_t partition) const {
  metrics_
      .AddGauge("heliograph_recorder_lag_records",
                "Records in Kafka that were not applied yet; NaN where another process follows the "
                "partition.",
                {{"topic", topic_}, {"partition", std::to_string(partition)}})
      .Set(std::nan(""));
}

}  // namespace heliograph::recorder
