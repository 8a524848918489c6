// Reads members of callers' bodies: what several bodies have. Only for this folder.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "action/fault.h"
#include "action/rollout.h"
#include "action/selector.h"
#include "device/ids.h"
#include "json/json.h"

namespace heliograph::action {

using Fault = std::optional<RequestFault>;

// The member's value; nullptr where it is missing or null.
const json::Value* Find(const json::Value& object, const char* name);

// The same, but null is a value.
const json::Value* FindAny(const json::Value& object, const char* name);

// A name that a caller made up, as one level of a JSON pointer; what is too long is cut.
std::string PointerLevel(std::string_view name);

// The list of client ids at `field`, at most `most`, each once; sorted.
Fault ReadClientIds(const json::Value& list, const std::string& field, std::size_t most,
                    std::vector<device::ClientId>& ids);

// When and how fast, of a request. Words of abort_if that are not known are faults: what is
// mistyped would let more devices fail.
Fault ReadRollout(const json::Value& root, Rollout& rollout);

// A condition that is not known is a fault, and so is null: what is overlooked would make the set
// larger.
std::variant<Selector, RequestFault> ReadSelector(const json::Value& value,
                                                  const std::string& field);

}  // namespace heliograph::action
