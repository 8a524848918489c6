#include "device/dead_letter.h"

namespace heliograph::device {

std::string_view DeadLetterReasonName(DeadLetterReason reason) {
  switch (reason) {
    case DeadLetterReason::kBadTopic:
      return "bad_topic";
    case DeadLetterReason::kBadClientId:
      return "bad_client_id";
    case DeadLetterReason::kTooLarge:
      return "too_large";
    case DeadLetterReason::kNotJson:
      return "not_json";
    case DeadLetterReason::kNotAnEnvelope:
      return "not_an_envelope";
    case DeadLetterReason::kBadField:
      return "bad_field";
    case DeadLetterReason::kUnknownType:
      return "unknown_type";
    case DeadLetterReason::kTooDeep:
      return "too_deep";
    case DeadLetterReason::kUnknownAction:
      return "unknown_action";
    case DeadLetterReason::kNotATarget:
      return "not_a_target";
    case DeadLetterReason::kResultTooLarge:
      return "result_too_large";
  }
  return "bad_field";
}

}  // namespace heliograph::device
