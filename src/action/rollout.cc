#include "action/rollout.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "action/members.h"
#include "base/rfc3339.h"

namespace heliograph::action {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kAll = 100;  // percent

// JSON knows one kind of number: 60.0 is 60.
std::optional<std::int64_t> WholeNumber(const json::Value& value, std::int64_t most) {
  const bool whole = value.is_number() && value.get<double>() == std::trunc(value.get<double>());
  if (!whole || value < 1 || value > most) return std::nullopt;
  return value.get<std::int64_t>();
}

RequestFault NoNumber(std::string field, std::int64_t most) {
  return {std::move(field), "it is no whole number from 1 to " + std::to_string(most)};
}

Fault ReadNumber(const json::Value& object, const char* name, std::int64_t most,
                 std::optional<std::int64_t>& number) {
  const json::Value* value = Find(object, name);
  if (value == nullptr) return std::nullopt;
  number = WholeNumber(*value, most);
  if (!number) return NoNumber("/" + std::string(name), most);
  return std::nullopt;
}

Fault ReadAbortIf(const json::Value& root, Rollout& rollout) {
  const json::Value* value = Find(root, "abort_if");
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) return RequestFault{"/abort_if", "it is not an object"};
  for (const auto& [name, member] : value->items()) {
    if (name != "failed_percent" && name != "min_finished") {
      return RequestFault{"/abort_if/" + PointerLevel(name), "there is no such condition"};
    }
  }
  const auto percent = WholeNumber(value->value("failed_percent", json::Value()), kAll);
  if (!percent) return NoNumber("/abort_if/failed_percent", kAll);
  const auto least = WholeNumber(value->value("min_finished", json::Value()), kMostInFlight);
  if (!least) return NoNumber("/abort_if/min_finished", kMostInFlight);
  rollout.abort_if = AbortIf{*percent, *least};
  return std::nullopt;
}

void AppendNumber(std::string& out, const std::optional<std::int64_t>& number) {
  out += number ? std::to_string(*number) : "null";
}

}  // namespace

Fault ReadRollout(const json::Value& root, Rollout& rollout) {
  if (const json::Value* start = Find(root, "not_before")) {
    if (!start->is_string()) return RequestFault{"/not_before", "the start is not a string"};
    auto time = base::ParseRfc3339(start->get_ref<const std::string&>());
    if (!time) return RequestFault{"/not_before", "the start " + time.error().message};
    rollout.not_before = *time;
  }
  if (Fault fault = ReadNumber(root, "rate_per_s", kHighestRate, rollout.rate_per_s)) return fault;
  if (Fault fault = ReadNumber(root, "max_in_flight", kMostInFlight, rollout.max_in_flight)) {
    return fault;
  }
  return ReadAbortIf(root, rollout);
}

void AppendRollout(std::string& out, const Rollout& rollout) {
  out += R"("not_before":)";
  out += rollout.not_before ? '"' + base::FormatRfc3339(*rollout.not_before) + '"' : "null";
  out += R"(,"rate_per_s":)";
  AppendNumber(out, rollout.rate_per_s);
  out += R"(,"max_in_flight":)";
  AppendNumber(out, rollout.max_in_flight);
  out += R"(,"abort_if":)";
  if (!rollout.abort_if) {
    out += "null";
    return;
  }
  out += R"({"failed_percent":)" + std::to_string(rollout.abort_if->failed_percent) +
         R"(,"min_finished":)" + std::to_string(rollout.abort_if->min_finished) + '}';
}

void AddCredit(const Rollout& rollout, base::Timestamp now, RolloutState& state) {
  if (!rollout.rate_per_s) return;
  const auto rate = static_cast<double>(*rollout.rate_per_s);
  // Of two who look one after the other the second may have the older clock.
  const double elapsed =
      std::max(0.0, std::chrono::duration<double>(now - state.credited_at).count());
  state.credit = std::min(state.credit + elapsed * rate, rate);
  state.credited_at = std::max(now, state.credited_at);
}

std::int64_t MayGo(const Rollout& rollout, const RolloutState& state, std::int64_t most) {
  if (rollout.rate_per_s) most = std::min(most, static_cast<std::int64_t>(state.credit));
  if (rollout.max_in_flight) most = std::min(most, *rollout.max_in_flight - state.in_flight);
  return std::max<std::int64_t>(most, 0);
}

bool MustAbort(const Rollout& rollout, const RolloutState& state) {
  return rollout.abort_if && state.finished >= rollout.abort_if->min_finished &&
         state.failed * kAll >= rollout.abort_if->failed_percent * state.finished;
}

milliseconds NextLook(const Rollout& rollout, const RolloutState& state, base::Timestamp now) {
  if (MayGo(rollout, state, 1) > 0) return milliseconds(0);
  // Devices that take minutes are not asked about ten times a second.
  const auto quiet = std::chrono::duration_cast<milliseconds>(now - state.moved_at);
  return std::clamp(quiet / 4, kSoonest, kLatest);
}

}  // namespace heliograph::action
