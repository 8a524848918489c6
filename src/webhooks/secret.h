// The secret of a webhook, and what is signed with it: Standard Webhooks 1.0.0
// (github.com/standard-webhooks/standard-webhooks).
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace heliograph::webhooks {

// "whsec_" and the base64 of 24 to 64 bytes.
bool IsSecret(std::string_view text);
// Of 32 bytes of the system's random generator; kInternal: it has none.
base::Result<base::Secret> MakeSecret();

// The headers that a receiver checks.
struct Signature {
  std::string id;         // of the message: the same when it is sent again
  std::string timestamp;  // of the try, in seconds since 1970
  std::string value;      // "v1," and base64, for each secret, with a space between them
};

// HMAC-SHA256 over "id.timestamp.body". Both are secrets, or `former` is empty.
Signature Sign(const base::Secret& secret, const base::Secret& former, std::string id,
               base::Timestamp now, std::string_view body);

}  // namespace heliograph::webhooks
