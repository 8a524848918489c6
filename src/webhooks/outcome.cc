#include "webhooks/outcome.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace heliograph::webhooks {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// RFC 9110, section 10.2.3, in seconds; a date is passed over.
milliseconds RetryAfterOf(const http_client::Response& response) {
  constexpr std::int64_t kMost = 86'400;
  const auto text = response.Header("retry-after");
  std::int64_t wait = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), wait);
  return seconds(std::clamp<std::int64_t>(wait, 0, kMost));
}

std::string ReasonOf(base::ErrorCode code) {
  switch (code) {
    case base::ErrorCode::kDeadlineExceeded:
      return "timed-out";
    case base::ErrorCode::kPermissionDenied:
      return "untrusted-certificate";
    case base::ErrorCode::kInvalidArgument:
      return "forbidden-address";
    case base::ErrorCode::kTooLarge:
      return "bad-answer";
    case base::ErrorCode::kUnavailable:
    case base::ErrorCode::kNotFound:
    case base::ErrorCode::kAlreadyExists:
    case base::ErrorCode::kConflict:
    case base::ErrorCode::kUnauthenticated:
    case base::ErrorCode::kCancelled:
    case base::ErrorCode::kInternal:
      return "unreachable";
  }
  return "unreachable";
}

}  // namespace

Outcome Judge(const base::Result<http_client::Response>& answer) {
  Outcome outcome;
  if (!answer) {
    outcome.reason = ReasonOf(answer.error().code);
    return outcome;
  }
  const int status = answer->status;
  outcome.status = status;
  if (status >= 200 && status < 300) return outcome;
  outcome.reason = status >= 300 && status < 400 ? "redirected" : "refused";
  if (status == 410) {
    outcome.reason = "gone";
    outcome.for_ever = true;
  }
  outcome.at_least = RetryAfterOf(*answer);
  return outcome;
}

milliseconds RetryWait(std::int64_t failures, milliseconds first, milliseconds longest,
                       double chance) {
  milliseconds ceiling = std::min(first, longest);
  for (std::int64_t i = 1; i < failures && ceiling < longest; ++i) {
    ceiling = std::min(ceiling * 2, longest);
  }
  const milliseconds least = std::min(first, ceiling);
  return least + milliseconds(static_cast<std::int64_t>(
                     chance * static_cast<double>((ceiling - least).count())));
}

}  // namespace heliograph::webhooks
