// Why a message could not be processed: the fixed words in the dead letters' `reason` header.
#pragma once

#include <array>
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

inline constexpr std::array kDeadLetterReasons = {
    DeadLetterReason::kBadTopic,       DeadLetterReason::kBadClientId,
    DeadLetterReason::kTooLarge,       DeadLetterReason::kNotJson,
    DeadLetterReason::kNotAnEnvelope,  DeadLetterReason::kBadField,
    DeadLetterReason::kUnknownType,    DeadLetterReason::kTooDeep,
    DeadLetterReason::kUnknownAction,  DeadLetterReason::kNotATarget,
    DeadLetterReason::kResultTooLarge,
};
std::string_view DeadLetterReasonName(DeadLetterReason reason);  // "bad_topic"

// What is wrong with one message. `detail` is a sentence for people, without the payload.
struct Unacceptable {
  DeadLetterReason reason = DeadLetterReason::kBadField;
  std::string detail;
};

}  // namespace heliograph::device
