// What a receipt says, and to whom it may be said. Pure. Grammar: docs/PROTOCOL.md, "Receipts".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "device/dead_letter.h"
#include "device/topic.h"

namespace heliograph::ingest {

// Whether a Response Topic is the publisher's own `control/in`, the only one that is answered:
// ingest may write to every device's, and must not be talked into doing so. False for an empty
// publisher.
bool IsOwnControlIn(const device::TopicGrammar& grammar, std::string_view response_topic,
                    std::string_view publisher) noexcept;

// Where Kafka has the message.
struct Stored {
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  // The topic is that of the dead letters, for this reason: sending again is of no use.
  std::optional<device::DeadLetterReason> dead_letter{};
};

// The envelope. `message_id` has nothing that JSON escapes.
std::string ReceiptMessage(const Stored& stored, std::string_view message_id, base::Timestamp sent);

}  // namespace heliograph::ingest
