#include "api/set_answers.h"

#include <array>
#include <string>
#include <string_view>

#include "action/request.h"
#include "api/problems.h"
#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::api {
namespace {

constexpr std::array<std::string_view, 6> kWords = {"online",  "offline",      "state_unknown",
                                                    "unknown", "unauthorised", "excluded"};
constexpr std::string_view kExcluded = "excluded";

// Members beside those of RFC 9457, for programs: the words of `detail` are for people.
http::Response With(http::Response problem, std::string_view name, std::int64_t number) {
  problem.body.pop_back();
  problem.body.append(",\"").append(name).append("\":").append(std::to_string(number)) += '}';
  return problem;
}

http::Response TooMany(std::int64_t count) {
  return With(http::Problem(422, "too-many-targets", "Too many targets",
                            "The set has " + std::to_string(count) + " devices; at most " +
                                std::to_string(action::kMostResolved) + " are allowed"),
              "count", count);
}

http::Response Changed(const postgres::SetRefusal& refusal) {
  return With(With(http::Problem(409, "targets-changed", "Targets changed",
                                 "Since the dry run " + std::to_string(refusal.added) +
                                     " devices came into the set and " +
                                     std::to_string(refusal.removed) + " went out of it"),
                   "added", refusal.added),
              "removed", refusal.removed);
}

}  // namespace

http::Response FromDryRun(const postgres::DryRun& dry_run) {
  std::string counts;
  std::string sample;
  std::int64_t total = 0;
  for (const std::string_view word : kWords) {
    std::int64_t count = 0;
    json::Value ids = json::Value::array();
    for (const postgres::DryRunCount& each : dry_run.counts) {
      if (each.word != word) continue;
      count = each.count;
      ids = each.sample;
    }
    if (word != kExcluded) total += count;
    counts.append(",\"").append(word).append("\":").append(std::to_string(count));
    sample += sample.empty() ? "" : ",";
    sample.append("\"").append(word).append("\":").append(json::Write(ids));
  }
  http::Response response;
  response.body = R"({"dry_run_id":)" + json::Write(dry_run.id) + R"(,"expires_at":")" +
                  base::FormatRfc3339(dry_run.expires_at) + R"(","total":)" +
                  std::to_string(total) + counts + R"(,"sample":{)" + sample + "}}";
  return response;
}

http::Response FromRefusal(const postgres::SetRefusal& refusal) {
  switch (refusal.why) {
    case postgres::SetRefusal::Why::kNoGroup:
      return NotFound("group");
    case postgres::SetRefusal::Why::kNobody:
      return http::Problem(422, "no-targets", "No targets", "No device is in the set");
    case postgres::SetRefusal::Why::kTooMany:
      return TooMany(refusal.count);
    case postgres::SetRefusal::Why::kNoDryRun:
      return NotFound("dry run");
    case postgres::SetRefusal::Why::kOtherRequest:
      return http::Problem(422, "dry-run-of-another-request", "Dry run of another request",
                           "The dry run was of a request that asks for something else");
    case postgres::SetRefusal::Why::kChanged:
      return Changed(refusal);
  }
  return NotFound("set");
}

}  // namespace heliograph::api
