#include "kafka/record.h"

#include <librdkafka/rdkafka.h>

#include <chrono>

namespace heliograph::kafka {

void ConsumedRecord::Destroy::operator()(rd_kafka_message_s* message) const noexcept {
  rd_kafka_message_destroy(message);
}

std::string_view ConsumedRecord::topic() const { return rd_kafka_topic_name(message_->rkt); }

std::int32_t ConsumedRecord::partition() const { return message_->partition; }

std::int64_t ConsumedRecord::offset() const { return message_->offset; }

std::string_view ConsumedRecord::key() const {
  return message_->key == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(message_->key), message_->key_len);
}

bool ConsumedRecord::has_key() const { return message_->key != nullptr; }

std::string_view ConsumedRecord::payload() const {
  return message_->payload == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(message_->payload), message_->len);
}

bool ConsumedRecord::is_tombstone() const { return message_->payload == nullptr; }

base::Timestamp ConsumedRecord::time() const {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  return base::Timestamp(
      std::chrono::milliseconds(rd_kafka_message_timestamp(message_.get(), &type)));
}

bool ConsumedRecord::is_log_append_time() const {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  (void)rd_kafka_message_timestamp(message_.get(), &type);
  return type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
}

std::optional<std::string_view> ConsumedRecord::Header(const char* name) const {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message_.get(), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  return std::string_view(static_cast<const char*>(value), size);
}

}  // namespace heliograph::kafka
