// The errors that callers see: RFC 9457, each with a stable type. openapi/heliograph.yaml lists
// them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace heliograph::api {

http::Response InvalidParameter(std::string_view name, std::string_view why);
http::Response InvalidCursor();
http::Response InvalidBody(std::string_view json_pointer, std::string_view why);
http::Response InvalidLastEventId();
http::Response InvalidGroupName();
http::Response InvalidIdempotencyKey(std::string_view why);
http::Response Unauthenticated(std::string_view why);
http::Response PermissionDenied(std::string_view scope);
http::Response OperatorsOnly();
http::Response NotFound(std::string_view what);
http::Response NameIsTaken(std::string_view whose);
http::Response TooMany(std::string_view what, std::int64_t most);
http::Response UnsupportedMediaType();
http::Response NotReplayable(std::string_view why);
http::Response ActionIsOver(std::string_view status);
http::Response AlreadyReplayed(std::string_view action_id);

// What a component could not do. Its message is for the log, not for callers.
http::Response FromError(const base::Error& error);

}  // namespace heliograph::api
