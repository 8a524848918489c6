// The one error type of the project.
#pragma once

#include <string>
#include <string_view>

namespace heliograph::base {

// A closed set; what a caller may do differs between codes, not what happened inside.
enum class ErrorCode {
  kInvalidArgument,   // the caller's input is wrong; the same call fails again
  kNotFound,          // what was named does not exist
  kAlreadyExists,     // what was to be created exists
  kConflict,          // somebody else changed or owns it (a fence, a reused key)
  kUnauthenticated,   // who is asking is not known
  kPermissionDenied,  // who is asking may not
  kTooLarge,          // over a limit; the same call fails again
  kUnavailable,       // a peer is away or its queue full; may be tried again
  kDeadlineExceeded,  // no answer in time; may be tried again, the first try may still take effect
  kCancelled,         // asked to stop
  kInternal,          // a defect, here or in a peer
};

// The stable word of a code, for logs and metrics: "invalid_argument".
std::string_view ErrorCodeName(ErrorCode code);

// Whether the same call may succeed later without anybody changing anything.
bool IsRetriable(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one sentence without a full stop: what was wrong, and where
};

}  // namespace heliograph::base
