// Why a message could not be processed: the fixed words in the dead letters' `reason` header.
#pragma once

#include <string>
#include <string_view>

namespace heliograph::device {

enum class DeadLetterReason {
  kBadTopic,
  kBadClientId,
  kTooLarge,
  kNotJson,
  kNotAnEnvelope,
  kBadField,
  kUnknownType,
  kTooDeep,
  kUnknownAction,
  kNotATarget,
  kResultTooLarge,
};

std::string_view DeadLetterReasonName(DeadLetterReason reason);  // "bad_topic"

// What is wrong with one message. `detail` is a sentence for people, without the payload.
struct Unacceptable {
  DeadLetterReason reason = DeadLetterReason::kBadField;
  std::string detail;
};

}  // namespace heliograph::device
