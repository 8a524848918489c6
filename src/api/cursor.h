// The `next` of a page: where the following one begins. Opaque to callers; whatever they send is
// checked. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "device/ids.h"
#include "postgres/action_queries.h"
#include "postgres/audit.h"
#include "postgres/connection_queries.h"
#include "postgres/dead_letter_store.h"

namespace heliograph::api {

// Which list a cursor belongs to: one of another list is refused.
enum class ListKind : char {
  kConnections = 'c',
  kTargets = 't',
  kGroups = 'g',
  kMembers = 'm',
  kWebhooks = 'w'
};

std::string WriteCursor(ListKind kind, const device::ClientId& last);
std::optional<device::ClientId> ReadCursor(ListKind kind, std::string_view cursor);

std::string WriteCursor(const postgres::ActionPlace& last);
std::optional<postgres::ActionPlace> ReadActionCursor(std::string_view cursor);

std::string WriteCursor(const postgres::AuditPlace& last);
std::optional<postgres::AuditPlace> ReadAuditCursor(std::string_view cursor);

std::string WriteCursor(const postgres::DeadLetterPlace& last);
std::optional<postgres::DeadLetterPlace> ReadDeadLetterCursor(std::string_view cursor);

std::string WriteCursor(const postgres::IntervalPlace& last);
std::optional<postgres::IntervalPlace> ReadIntervalCursor(std::string_view cursor);

}  // namespace heliograph::api
