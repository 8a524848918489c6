// `connection.events`: CloudEvents 1.0 in JSON. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "device/connection.h"

namespace heliograph::recorder {

// The record that caused it.
struct EventOrigin {
  std::string_view topic;
  std::int32_t generation = 1;
  device::LogPosition position;
  base::Timestamp time{};
};

// Precondition: change is not kNone. `data` is the connection as the REST object. `source` names
// the log's generation, because a recreated log counts from 0 again and source and id together must
// be unique. Where the event would be longer than `longest` bytes it is written without what the
// device tells of itself, and has "truncated": "true".
std::string WriteEvent(device::Change change, const device::Connection& connection,
                       const EventOrigin& origin, std::size_t longest);

}  // namespace heliograph::recorder
