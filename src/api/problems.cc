#include "api/problems.h"

#include <string>

#include "log/log.h"

namespace heliograph::api {
namespace {

using http::Problem;

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

// Errors begin with a small letter, answers to people with a large one.
std::string Sentence(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text;
}

http::Response Unavailable(std::string_view detail) {
  http::Response response = Problem(503, "unavailable", "Unavailable", detail);
  response.headers.emplace_back("retry-after", "2");
  return response;
}

http::Response Internal(const base::Error& error) {
  log::Logger("api").Error("a request failed",
                           {{"code", base::ErrorCodeName(error.code)}, {"why", error.message}});
  return Problem(500, "internal", "Internal error", "The request id names it in the service's log");
}

}  // namespace

http::Response InvalidParameter(std::string_view name, std::string_view why) {
  return Problem(400, "invalid-parameter", "Invalid parameter",
                 "The parameter " + Quoted(name) + " " + std::string(why));
}

http::Response InvalidCursor() {
  return Problem(400, "invalid-cursor", "Invalid cursor",
                 "The parameter 'cursor' is not the `next` of an earlier answer of this route");
}

http::Response InvalidBody(std::string_view json_pointer, std::string_view why) {
  const std::string detail = json_pointer.empty()
                                 ? std::string(why)
                                 : "at " + std::string(json_pointer) + ": " + std::string(why);
  return Problem(400, "invalid-body", "Invalid body", Sentence(detail));
}

http::Response InvalidLastEventId() {
  return Problem(400, "invalid-last-event-id", "Invalid Last-Event-ID",
                 "The header Last-Event-ID is not the id of an event of this route");
}

http::Response InvalidGroupName() {
  return Problem(400, "invalid-group-name", "Invalid group name",
                 "A group's name is 1 to 128 bytes of A-Z a-z 0-9 . _ : -");
}

http::Response InvalidIdempotencyKey(std::string_view why) {
  return Problem(400, "invalid-idempotency-key", "Invalid Idempotency-Key",
                 "The header Idempotency-Key " + std::string(why));
}

http::Response Unauthenticated(std::string_view why) {
  http::Response response =
      Problem(401, "unauthenticated", "Unauthenticated", Sentence(std::string(why)));
  response.headers.emplace_back("www-authenticate", "Bearer realm=\"heliograph\"");
  return response;
}

http::Response PermissionDenied(std::string_view scope) {
  http::Response response = Problem(403, "permission-denied", "Permission denied",
                                    "The token has not the scope " + Quoted(scope));
  response.headers.emplace_back(
      "www-authenticate", "Bearer realm=\"heliograph\", error=\"insufficient_scope\", scope=\"" +
                              std::string(scope) + "\"");
  return response;
}

http::Response OperatorsOnly() {
  return Problem(403, "permission-denied", "Permission denied", "This is for operators only");
}

http::Response NotFound(std::string_view what) {
  return Problem(404, "not-found", "Not found", "There is no such " + std::string(what));
}

http::Response NameIsTaken(std::string_view whose) {
  return Problem(409, "name-is-taken", "Name is taken",
                 "There is a " + std::string(whose) + " of this name");
}

http::Response TooMany(std::string_view what, std::int64_t most) {
  return Problem(409, "too-many", "Too many",
                 "A tenant may have " + std::to_string(most) + " " + std::string(what));
}

http::Response UnsupportedMediaType() {
  return Problem(415, "unsupported-media-type", "Unsupported media type",
                 "The body must be application/json in UTF-8, without a Content-Encoding");
}

http::Response NotReplayable(std::string_view why) {
  return Problem(409, "not-replayable", "Not replayable", why);
}

http::Response ActionIsOver(std::string_view status) {
  return Problem(409, "action-is-over", "Action is over",
                 "Nothing more would be published of the action: it is " + std::string(status));
}

http::Response AlreadyReplayed(std::string_view action_id) {
  return Problem(409, "already-replayed", "Already replayed",
                 "The action " + std::string(action_id) + " tries it again");
}

http::Response FromError(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::kUnavailable:
    case base::ErrorCode::kDeadlineExceeded:
      return Unavailable("The service cannot answer now; the same request may be made again");
    case base::ErrorCode::kTooLarge:
      return Problem(413, "too-large", "Too large", Sentence(error.message));
    case base::ErrorCode::kConflict:
      return Problem(422, "idempotency-key-reused", "Idempotency-Key reused",
                     "The Idempotency-Key was used for another request in the last 24 hours");
    case base::ErrorCode::kUnauthenticated:
      return Unauthenticated(error.message);
    case base::ErrorCode::kInvalidArgument:
    case base::ErrorCode::kNotFound:
    case base::ErrorCode::kAlreadyExists:
    case base::ErrorCode::kPermissionDenied:
    case base::ErrorCode::kCancelled:
    case base::ErrorCode::kInternal:
      return Internal(error);
  }
  return Internal(error);
}

}  // namespace heliograph::api
