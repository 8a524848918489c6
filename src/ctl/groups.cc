#include "ctl/groups.h"

#include <fstream>
#include <utility>

#include "ctl/fields.h"
#include "ctl/selector.h"

namespace heliograph::ctl {
namespace {

using base::ErrorCode;
using base::Result;

// One on each line; blank lines and spaces around do not count.
void ReadLines(std::istream& in, std::vector<std::string>& lines) {
  constexpr const char* kBlank = " \t\r";
  for (std::string line; std::getline(in, line);) {
    const std::size_t begin = line.find_first_not_of(kBlank);
    if (begin == line.npos) continue;
    lines.push_back(line.substr(begin, line.find_last_not_of(kBlank) + 1 - begin));
  }
}

void WriteGroup(const json::Value& group, const Console& console) {
  if (console.json) {
    console.out << json::WriteIndented(group) << '\n';
    return;
  }
  for (const char* name : {"name", "tenant", "selector", "members", "created_at", "updated_at"}) {
    console.out << name << ": " << Printable(Field(group, name)) << '\n';
  }
  const json::Value ids = ListField(group, "client_ids");
  if (ids.empty()) return;
  Table table({"CLIENT ID"});
  for (const json::Value& id : ids) {
    table.Add({id.is_string() ? id.get<std::string>() : json::Write(id)});
  }
  console.out << '\n';
  table.Write(console.out);
}

}  // namespace

Result<json::Value> GroupOf(const SetGroupOptions& options, std::istream& standard_input) {
  if (!options.selector.empty()) {
    if (!options.client_ids.empty() || !options.file.empty()) {
      return base::MakeError(ErrorCode::kInvalidArgument,
                             "a group has client ids or a selector, not both");
    }
    auto selector = SelectorOf(options.selector);
    if (!selector) return std::move(selector).error();
    json::Value group = json::Value::object();
    group["selector"] = *std::move(selector);
    return group;
  }
  std::vector<std::string> ids = options.client_ids;
  if (options.file == "-") {
    ReadLines(standard_input, ids);
  } else if (!options.file.empty()) {
    std::ifstream file(options.file);
    if (!file) {
      return base::MakeError(ErrorCode::kInvalidArgument,
                             "the file '" + options.file + "' cannot be opened");
    }
    ReadLines(file, ids);
  } else if (ids.empty()) {
    return base::MakeError(ErrorCode::kInvalidArgument,
                           "who is in the group? CLIENT_ID, --file or --selector says it");
  }
  json::Value group = json::Value::object();
  group["client_ids"] = std::move(ids);
  return group;
}

Result<ExitCode> ListGroups(const ListGroupsOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const auto row_of = [](const json::Value& group) -> std::vector<std::string> {
    return {Field(group, "name"), Field(group, "tenant"), Field(group, "members"),
            Field(group, "selector"), TimeField(group, "updated_at")};
  };
  return WriteListing(
      *api, {{"v1", "groups"}, {}, {"NAME", "TENANT", "MEMBERS", "SELECTOR", "UPDATED"}, row_of},
      options.paging, console);
}

Result<ExitCode> ShowGroup(const GroupOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const auto group = api->Get({"v1", "groups", options.name});
  if (!group) return group.error();
  WriteGroup(*group, console);
  return ExitCode::kOk;
}

Result<ExitCode> SetGroup(const SetGroupOptions& options, std::istream& standard_input,
                          const Console& console) {
  const auto body = GroupOf(options, standard_input);
  if (!body) return body.error();
  auto api = Api::Open(options.group.api);
  if (!api) return std::move(api).error();
  const auto group = api->Put({"v1", "groups", options.group.name}, *body);
  if (!group) return group.error();
  WriteGroup(*group, console);
  return ExitCode::kOk;
}

Result<ExitCode> DeleteGroup(const GroupOptions& options, const Console&) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const base::Status deleted = api->Delete({"v1", "groups", options.name});
  if (!deleted) return deleted.error();
  return ExitCode::kOk;
}

}  // namespace heliograph::ctl
