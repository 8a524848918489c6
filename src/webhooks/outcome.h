// What became of a request to a receiver, and when to try again. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "http_client/client.h"

namespace heliograph::webhooks {

struct Outcome {
  // "" = delivered; else a fixed word: "timed-out", "unreachable", "untrusted-certificate",
  // "forbidden-address", "redirected", "gone", "refused", "bad-answer".
  std::string reason;
  std::optional<std::int64_t> status;     // what was answered
  bool for_ever = false;                  // it need not be tried again
  std::chrono::milliseconds at_least{0};  // so long the receiver wants to be left alone

  bool delivered() const { return reason.empty(); }
};

// Any status of the 200s is a delivery, nothing else is: what is behind a redirect is not asked.
Outcome Judge(const base::Result<http_client::Response>& answer);

// How long to wait after so many failures, 1 or more: uniform between `first` and
// first * 2^(failures - 1), which `longest` bounds. `chance`: from [0, 1).
std::chrono::milliseconds RetryWait(std::int64_t failures, std::chrono::milliseconds first,
                                    std::chrono::milliseconds longest, double chance);

}  // namespace heliograph::webhooks
