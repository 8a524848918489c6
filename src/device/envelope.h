// The fields that control and data messages share, read strictly. Only for this folder's parsers.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "device/dead_letter.h"
#include "json/json.h"

namespace heliograph::device {

// Identifiers and words end up in indexed columns, whose rows PostgreSQL bounds.
inline constexpr std::size_t kLongestWord = 256;

struct Envelope {
  std::string type;
  std::string message_id;
  std::string response_to;
  json::Value root;  // the whole message, for the fields of its kind
};

// not_json, too_deep, not_an_envelope (not an object, or without a type) or bad_field.
std::variant<Envelope, Unacceptable> ParseEnvelope(std::string_view payload);

// A string of at most kLongestWord bytes; absent, null and "" are "". Otherwise `fault` is set.
std::string ReadWord(const json::Value& object, const char* name,
                     std::optional<Unacceptable>& fault);

Unacceptable BadField(std::string_view name, std::string_view why);

// nullptr where the member is absent or null.
const json::Value* FindMember(const json::Value& object, const char* name);

}  // namespace heliograph::device
