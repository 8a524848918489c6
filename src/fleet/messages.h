// What a simulated device says. Pure. Grammar: docs/PROTOCOL.md.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "json/json.h"

namespace heliograph::fleet {

// A solar site as an agent would describe it; the same for the same client id.
json::Value FactsOf(std::string_view client_id);
json::Value TagsOf(std::string_view client_id);

std::string OnlineMessage(std::string_view client_id, std::string_view session_id,
                          base::Timestamp sent);

// `reason` "" = the device says nothing of it. As a last will: with the session id of the *online*
// that will follow, and the reason "connection_lost".
std::string OfflineMessage(std::string_view session_id, std::string_view reason,
                           base::Timestamp sent);

std::string EventMessage(std::string_view event, std::string_view response_to,
                         base::Timestamp sent);

// `content` is JSON.
std::string DataMessage(std::string_view directive, std::string_view content, base::Timestamp sent);

// What became of an action. `metadata` as protocol.md names it: status, progress, note, reason.
std::string ResultMessage(std::string_view directive, std::string_view action_id,
                          const std::map<std::string, std::string>& metadata,
                          const json::Value& content, base::Timestamp sent);

}  // namespace heliograph::fleet
