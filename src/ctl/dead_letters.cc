#include "ctl/dead_letters.h"

#include <utility>

#include "ctl/fields.h"

namespace heliograph::ctl {
namespace {

using base::Result;

const std::vector<std::string> kHeadings = {
    "ID", "AT", "KIND", "STATE", "TENANT", "CLIENT ID", "REASON", "ACTION ID", "REPLAYED AS"};

std::vector<std::string> RowOf(const json::Value& letter) {
  return {
      Field(letter, "dead_letter_id"), TimeField(letter, "at"),    Field(letter, "kind"),
      Field(letter, "state"),          Field(letter, "tenant"),    Field(letter, "client_id"),
      Field(letter, "reason"),         Field(letter, "action_id"), Field(letter, "replayed_as")};
}

// Those that are named, or all open ones of the action.
Result<std::vector<std::string>> Chosen(Api& api, const DecideOptions& options) {
  if (options.ids.empty() == options.action_id.empty()) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "either dead letters are named, or --action");
  }
  if (!options.ids.empty()) return options.ids;
  std::vector<std::string> ids;
  std::string cursor;
  while (true) {
    http_client::Query query = {
        {"action_id", options.action_id}, {"state", "open"}, {"limit", "1000"}};
    if (!cursor.empty()) query.emplace_back("cursor", cursor);
    const auto page = api.Get({"v1", "dead-letters"}, query);
    if (!page) return page.error();
    for (const json::Value& letter : ListField(*page, "items")) {
      ids.push_back(Field(letter, "dead_letter_id"));
    }
    const auto next = page->find("next");
    if (next == page->end() || !next->is_string()) return ids;
    cursor = next->get<std::string>();
  }
}

// Tells of each as it is done; with --json an array of what the API answered.
template <class Tell>
Result<ExitCode> Decide(const DecideOptions& options, const char* deed, const json::Value& body,
                        const Console& console, Tell tell) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const auto ids = Chosen(*api, options);
  if (!ids) return ids.error();
  json::Value answers = json::Value::array();
  for (const std::string& id : *ids) {
    auto answer = api->Post({"v1", "dead-letters", id, deed}, {}, body);
    if (!answer) {
      if (console.json) console.out << json::WriteIndented(answers) << '\n';
      base::Error error = answer.error();
      error.message = "dead letter " + id + ": " + error.message;
      return error;
    }
    if (console.json) {
      answers.push_back(*std::move(answer));
    } else {
      console.out << "dead letter " << id << ": " << tell(*answer) << '\n';
    }
  }
  if (console.json) console.out << json::WriteIndented(answers) << '\n';
  if (ids->empty()) console.err << "There is no open dead letter of this action\n";
  return ExitCode::kOk;
}

}  // namespace

http_client::Query DeadLetterFilter::ToQuery() const {
  return Filters({{"kind", kind},
                  {"state", state},
                  {"reason", reason},
                  {"client_id", client_id},
                  {"action_id", action_id},
                  {"tenant", tenant},
                  {"from", from},
                  {"before", before}});
}

Result<ExitCode> ListDeadLetters(const ListDeadLettersOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  return WriteListing(*api, {{"v1", "dead-letters"}, options.filter.ToQuery(), kHeadings, RowOf},
                      options.paging, console);
}

Result<ExitCode> ShowDeadLetter(const ShowDeadLetterOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const auto letter = api->Get({"v1", "dead-letters", options.id});
  if (!letter) return letter.error();
  if (console.json) {
    console.out << json::WriteIndented(*letter) << '\n';
    return ExitCode::kOk;
  }
  for (const auto& [name, value] : letter->items()) {
    if (!value.is_null()) console.out << name << ": " << Printable(Field(*letter, name)) << '\n';
  }
  return ExitCode::kOk;
}

Result<ExitCode> ReplayDeadLetters(const DecideOptions& options, const Console& console) {
  json::Value body = json::Value::object();
  if (!options.if_offline.empty()) body["if_offline"] = options.if_offline;
  if (options.ttl_s > 0) body["ttl_s"] = options.ttl_s;
  return Decide(options, "replay", body, console, [](const json::Value& action) {
    return "tried again as action " + Printable(Field(action, "action_id"));
  });
}

Result<ExitCode> DiscardDeadLetters(const DecideOptions& options, const Console& console) {
  json::Value body = json::Value::object();
  if (!options.note.empty()) body["note"] = options.note;
  return Decide(options, "discard", body, console,
                [](const json::Value& letter) { return Printable(Field(letter, "state")); });
}

}  // namespace heliograph::ctl
