#include "ctl/actions.h"

#include <utility>

#include "ctl/fields.h"
#include "ctl/send.h"

namespace heliograph::ctl {

using base::Result;

http_client::Query ActionFilter::ToQuery() const {
  return Filters({{"tenant", tenant},
                  {"requested_by", requested_by},
                  {"directive", directive},
                  {"status", status},
                  {"created_from", created_from},
                  {"created_before", created_before}});
}

Result<ExitCode> ListActions(const ListActionsOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const auto row_of = [](const json::Value& action) -> std::vector<std::string> {
    return {Field(action, "action_id"),   Field(action, "tenant"), Field(action, "requested_by"),
            Field(action, "directive"),   Field(action, "status"), TimeField(action, "created_at"),
            TimeField(action, "deadline")};
  };
  return WriteListing(
      *api,
      {{"v1", "actions"},
       options.filter.ToQuery(),
       {"ACTION ID", "TENANT", "REQUESTED BY", "DIRECTIVE", "STATUS", "CREATED", "DEADLINE"},
       row_of},
      options.paging, console);
}

Result<ExitCode> ShowAction(const ActionOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const auto action = api->Get({"v1", "actions", options.action_id});
  if (!action) return action.error();
  WriteAction(*action, console);
  return ExitCode::kOk;
}

namespace {

Result<ExitCode> Tell(const ActionOptions& options, const char* deed, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const auto action = api->Post({"v1", "actions", options.action_id, deed}, {}, json::Value());
  if (!action) return action.error();
  WriteAction(*action, console);
  return ExitCode::kOk;
}

}  // namespace

Result<ExitCode> CancelAction(const ActionOptions& options, const Console& console) {
  return Tell(options, "cancel", console);
}

Result<ExitCode> PauseAction(const ActionOptions& options, const Console& console) {
  return Tell(options, "pause", console);
}

Result<ExitCode> ResumeAction(const ActionOptions& options, const Console& console) {
  return Tell(options, "resume", console);
}

}  // namespace heliograph::ctl
