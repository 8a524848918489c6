#include "ctl/exit_code.h"

namespace heliograph::ctl {
namespace {

using base::ErrorCode;

std::string_view WhereToLook(Peer peer) {
  switch (peer) {
    case Peer::kNone:
      return "";
    case Peer::kApi:
      return "Is heliograph-api running? Its address comes from --api-url or HELIOGRAPH_API_URL.";
    case Peer::kPostgres:
      return "Is PostgreSQL running? Its address comes from --postgres or HELIOGRAPH_POSTGRES.";
    case Peer::kKafka:
      return "Is Kafka running? Its address comes from --kafka or HELIOGRAPH_KAFKA.";
    case Peer::kKafkaAndPostgres:
      return "Do Kafka and PostgreSQL run? Their addresses come from --kafka or HELIOGRAPH_KAFKA, "
             "and "
             "--postgres or HELIOGRAPH_POSTGRES.";
  }
  return "";
}

}  // namespace

ExitCode ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return ExitCode::kUsage;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
      return ExitCode::kNotAllowed;
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
      return ExitCode::kUnreachable;
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict:
    case ErrorCode::kTooLarge:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      return ExitCode::kNo;
  }
  return ExitCode::kNo;
}

std::string_view ExitCodeHelp() {
  return "Exit codes:\n"
         "  0  done, and the answer is yes\n"
         "  1  done, and the answer is no (not found, different, a target failed); or it failed "
         "for good\n"
         "  2  the command line, or a file that it names, is wrong\n"
         "  3  a server did not answer; the same call may succeed later\n"
         "  4  the token is missing, unknown or not enough";
}

std::string_view NextStep(Peer peer, ErrorCode code) {
  switch (ExitCodeOf(code)) {
    case ExitCode::kUnreachable:
      return WhereToLook(peer);
    case ExitCode::kNotAllowed:
      return peer == Peer::kApi ? "The token comes from --token-file FILE or HELIOGRAPH_TOKEN."
                                : "";
    case ExitCode::kOk:
    case ExitCode::kNo:
    case ExitCode::kUsage:
      return "";
  }
  return "";
}

}  // namespace heliograph::ctl
