#include "ingest/receipt.h"

#include "base/rfc3339.h"

namespace heliograph::ingest {

bool IsOwnControlIn(const device::TopicGrammar& grammar, std::string_view response_topic,
                    std::string_view publisher) noexcept {
  const device::TopicGrammar::Parsed parsed = grammar.Parse(response_topic);
  return parsed.topic && parsed.topic->channel == device::Channel::kControl &&
         parsed.topic->direction == device::Direction::kIn && parsed.topic->client_id == publisher;
}

std::string ReceiptMessage(const Stored& stored, std::string_view message_id,
                           base::Timestamp sent) {
  std::string message = R"({"type":"receipt","message_id":")";
  message.append(message_id)
      .append(R"(","response_to":"","version":1,"sent":")")
      .append(base::FormatRfc3339(sent))
      .append(R"(","content":{"state":"stored","partition":)")
      .append(std::to_string(stored.partition))
      .append(R"(,"offset":)")
      .append(std::to_string(stored.offset));
  if (stored.dead_letter) {
    message.append(R"(,"dead_letter":")")
        .append(device::DeadLetterReasonName(*stored.dead_letter))
        .append("\"");
  }
  return message.append("}}");
}

}  // namespace heliograph::ingest
