// Reads the API's answers: what is missing or of another kind shows as "-", never as an error,
// since a newer API may say more or less than this program knows.
#pragma once

#include <string>
#include <string_view>

#include "json/json.h"

namespace heliograph::ctl {

// The member `name` as text; "-" where it is missing or null, JSON where it is not a string.
std::string Field(const json::Value& object, std::string_view name);

// As Field, a time without its fraction of a second: "2026-11-21T02:29:54Z".
std::string TimeField(const json::Value& object, std::string_view name);

// The member `name` when it is an array; an empty array otherwise.
json::Value ListField(const json::Value& object, std::string_view name);

}  // namespace heliograph::ctl
