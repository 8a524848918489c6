#include "kafka/queries.h"

#include <algorithm>

#include "base/clock.h"

namespace heliograph::kafka {
namespace {

using TopicHandle = base::UniqueHandle<rd_kafka_topic_t, rd_kafka_topic_destroy>;

void FreeMetadata(const rd_kafka_metadata_t* metadata) { rd_kafka_metadata_destroy(metadata); }
using MetadataHandle = base::UniqueHandle<const rd_kafka_metadata_t, FreeMetadata>;

// Where the log begins or ends: kOffsetBeginning or kOffsetEnd. Not by
// rd_kafka_query_watermark_offsets, which waits for a silent broker far beyond its limit (seen with
// 2.0.2).
base::Result<std::int64_t> QueryOffset(rd_kafka_t& client, const TopicPartition& partition,
                                       std::int64_t place, base::SteadyTime deadline) {
  const PartitionListHandle list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t& asked =
      *rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
  asked.offset = place;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(
      &client, list.get(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = asked.err;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return asked.offset;
  return ToError(code, "asking for the ends of " + partition.topic + "/" +
                           std::to_string(partition.partition));
}

}  // namespace

base::Result<Watermarks> QueryWatermarks(rd_kafka_t& client, const TopicPartition& partition,
                                         std::chrono::milliseconds limit) {
  const base::SteadyTime deadline = std::chrono::steady_clock::now() + limit;
  const auto begin = QueryOffset(client, partition, kOffsetBeginning, deadline);
  if (!begin) return begin.error();
  const auto end = QueryOffset(client, partition, kOffsetEnd, deadline);
  if (!end) return end.error();
  return Watermarks{*begin, *end};
}

base::Result<TopicShape> QueryShape(rd_kafka_t& client, const std::string& topic,
                                    std::chrono::milliseconds limit) {
  const std::string doing = "asking for the partitions of " + topic;
  const TopicHandle handle(rd_kafka_topic_new(&client, topic.c_str(), nullptr));
  if (!handle) return ToError(rd_kafka_last_error(), doing);
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(&client, 0, handle.get(), &answer, static_cast<int>(limit.count()));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return ToError(code, doing);
  const MetadataHandle metadata(answer);
  if (metadata->topic_cnt != 1) return ToError(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, doing);
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return ToError(found.err, doing);
  if (found.partition_cnt == 0) return ToError(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, doing);
  TopicShape shape{.partitions = found.partition_cnt, .replicas = found.partitions[0].replica_cnt};
  for (int i = 1; i < found.partition_cnt; ++i) {
    shape.replicas = std::min(shape.replicas, found.partitions[i].replica_cnt);
  }
  return shape;
}

}  // namespace heliograph::kafka
