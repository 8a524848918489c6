#include "recorder/dead_letters.h"

#include <algorithm>

#include "device/dead_letter.h"
#include "log/log.h"

namespace heliograph::recorder {
namespace {

constexpr std::size_t kLongestDetail = 500;

}  // namespace

DeadLetters::DeadLetters(Publisher& publisher, std::string dead_letter_topic,
                         std::string source_topic, std::size_t longest, metrics::Registry& metrics)
    : publisher_(publisher),
      topic_(std::move(dead_letter_topic)),
      source_topic_(std::move(source_topic)),
      longest_(longest),
      metrics_(metrics) {
  // From the start, so that the first one is growth.
  for (const auto reason : device::kDeadLetterReasons) {
    (void)CounterOf(device::DeadLetterReasonName(reason));
  }
}

metrics::Counter DeadLetters::CounterOf(std::string_view reason) const {
  return metrics_.AddCounter("heliograph_recorder_dead_letters_total",
                             "Records that could not be processed, by reason.",
                             {{"topic", source_topic_}, {"reason", std::string(reason)}});
}

std::shared_ptr<Ticket> DeadLetters::Send(std::span<const Record> records,
                                          std::span<const Refusal> refused) {
  auto ticket = std::make_shared<Ticket>();
  for (const Refusal& refusal : refused) {
    const Record& record = records[refusal.record];
    // The consumed record may go before Kafka confirms the letter.
    const auto content = std::make_shared<const std::pair<std::string, std::string>>(
        record.key, record.payload.substr(0, longest_));
    std::string source = source_topic_ + "/" + std::to_string(record.partition) + "/" +
                         std::to_string(record.offset);
    publisher_.Send({topic_,
                     content->first,
                     content->second,
                     {{"reason", std::string(refusal.reason)},
                      {"detail", refusal.detail.substr(0, kLongestDetail)},
                      {"source", std::move(source)}},
                     content,
                     ticket});
    CounterOf(refusal.reason).Add();
  }
  return ticket;
}

}  // namespace heliograph::recorder
