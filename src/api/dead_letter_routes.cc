#include "api/dead_letter_routes.h"

#include <charconv>
#include <utility>

#include "action/replay.h"
#include "api/cursor.h"
#include "api/media_type.h"
#include "api/page.h"
#include "api/parameters.h"
#include "api/problems.h"
#include "base/rfc3339.h"
#include "json/json.h"

namespace heliograph::api {
namespace {

using postgres::DeadLetter;
using postgres::DeadLetterKind;
using postgres::DeadLetterState;

constexpr std::size_t kLongestNote = 1000;  // bytes

void AppendLetter(std::string& out, const DeadLetter& letter) {
  const bool is_record = letter.kind == DeadLetterKind::kRecord;
  out += R"({"dead_letter_id":")" + std::to_string(letter.place.id) + R"(","at":")" +
         base::FormatRfc3339(letter.place.at) + '"';
  AppendText(out, "kind", postgres::DeadLetterKindName(letter.kind));
  AppendText(out, "tenant", letter.tenant ? letter.tenant->view() : "");
  AppendText(out, "client_id", letter.client_id);
  AppendText(out, "reason", letter.reason);
  AppendText(out, "action_id", letter.action_id ? letter.action_id->view() : "");
  AppendText(out, "status", letter.status);
  AppendText(out, "topic", letter.topic);
  out += R"(,"partition":)" + (is_record ? std::to_string(letter.partition) : "null");
  out += R"(,"offset":)" + (is_record ? std::to_string(letter.offset) : "null");
  AppendText(out, "source", letter.source);
  AppendText(out, "detail", letter.detail);
  AppendText(out, "state", postgres::DeadLetterStateName(letter.state));
  AppendText(out, "decided_at", letter.decided_at ? base::FormatRfc3339(*letter.decided_at) : "");
  AppendText(out, "decided_by", letter.decided_by);
  AppendText(out, "note", letter.note);
  AppendText(out, "replayed_as", letter.replayed_as ? letter.replayed_as->view() : "");
}

http::Response One(const DeadLetter& letter) {
  http::Response response;
  AppendLetter(response.body, letter);
  AppendText(response.body, "payload_base64", letter.payload_base64);
  response.body += '}';
  return response;
}

// What is no number is no letter's.
std::optional<std::int64_t> IdOf(const http::Request& request) {
  const std::string& text = request.path_parameters.find("dead_letter_id")->second;
  std::int64_t id = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (fault != std::errc() || end != text.data() + text.size() || id < 1) return std::nullopt;
  return id;
}

// The note of a body that may be missing, or the fault in it.
std::variant<std::string, http::Response> ReadNote(const http::Request& request) {
  if (request.body.empty()) return std::string();
  if (!IsJson(request)) return UnsupportedMediaType();
  const json::Parsed body = json::Parse(request.body);
  if (!body) return InvalidBody("", "the body is not acceptable JSON: " + body.error().message);
  if (!body->is_object()) return InvalidBody("", "the body is not an object");
  const auto note = body->find("note");
  if (note == body->end() || note->is_null()) return std::string();
  if (!note->is_string()) return InvalidBody("/note", "the note is not a string");
  const std::string& text = note->get_ref<const std::string&>();
  if (text.size() > kLongestNote) return InvalidBody("/note", "the note has more than 1000 bytes");
  if (text.find('\0') != std::string::npos) return InvalidBody("/note", "the note has a U+0000");
  return text;
}

}  // namespace

void DeadLetterRoutes::AddTo(http::Router& router, const Guard& guard) {
  constexpr auto kScope = auth::Scope::kActionsWrite;
  const auto add = [&](std::string_view path, auto handler) {
    router.Add("GET", path,
               guard.Protect(kScope, [this, handler](const auto& request, const auto& caller) {
                 return (this->*handler)(request, caller);
               }));
  };
  const auto add_deed = [&](std::string_view path, std::string deed, auto handler) {
    router.Add(
        "POST", path,
        auditor_.Protect(guard, kScope, std::move(deed),
                         [this, handler](const auto& request, const auto& caller, auto& decision) {
                           return (this->*handler)(request, caller, decision);
                         }));
  };
  add("/v1/dead-letters", &DeadLetterRoutes::List);
  add("/v1/dead-letters/{dead_letter_id}", &DeadLetterRoutes::Get);
  add_deed("/v1/dead-letters/{dead_letter_id}/replay", "replay", &DeadLetterRoutes::Replay);
  add_deed("/v1/dead-letters/{dead_letter_id}/discard", "discard", &DeadLetterRoutes::Discard);
}

http::Response DeadLetterRoutes::List(const http::Request& request, const auth::Principal& caller) {
  Parameters parameters(request, {"kind", "state", "reason", "client_id", "action_id", "tenant",
                                  "from", "before", "cursor", "limit"});
  postgres::DeadLetterQuery query;
  query.sight = TenantOf(caller);
  query.tenant = parameters.Tenant("tenant");
  if (query.tenant && !caller.is_operator()) parameters.Refuse("tenant", "is for operators only");
  if (const auto word = parameters.Text("kind")) {
    query.kind = postgres::ParseDeadLetterKind(*word);
    if (!query.kind) parameters.Refuse("kind", "is neither 'action' nor 'record'");
  }
  if (const auto word = parameters.Text("state")) {
    query.state = postgres::ParseDeadLetterState(*word);
    if (!query.state) parameters.Refuse("state", "is not 'open', 'replayed' or 'discarded'");
  }
  query.reason = parameters.Text("reason");
  if (const auto text = parameters.Text("client_id")) {
    if (!device::IsClientId(*text)) parameters.Refuse("client_id", "is no client id");
    query.client_id = *text;
  }
  query.action_id = parameters.ActionId("action_id");
  query.from = parameters.Time("from");
  query.until = parameters.Time("before");
  query.limit = parameters.Limit();
  if (parameters.fault()) return *parameters.fault();
  if (const auto cursor = request.Query("cursor")) {
    query.before = ReadDeadLetterCursor(*cursor);
    if (!query.before) return InvalidCursor();
  }
  const auto found = letters_.List(query);
  if (!found) return FromError(found.error());
  Page page;
  for (const DeadLetter& each : found->letters) {
    page.Add([&](std::string& out) {
      AppendLetter(out, each);
      out += '}';
    });
  }
  return std::move(page).Finish(found->next ? std::optional(WriteCursor(*found->next))
                                            : std::nullopt);
}

http::Response DeadLetterRoutes::Get(const http::Request& request, const auth::Principal& caller) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  const auto id = IdOf(request);
  if (!id) return NotFound("dead letter");
  const auto letter = letters_.Get(*id, TenantOf(caller));
  if (!letter) return FromError(letter.error());
  if (!*letter) return NotFound("dead letter");
  return One(**letter);
}

// The action belongs to the letter's tenant, whoever asks. The key is the letter's own, which no
// header can have: however many ask at the same time, there is one action.
http::Response DeadLetterRoutes::Replay(const http::Request& request, const auth::Principal& caller,
                                        postgres::Decision& decision) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  if (!request.body.empty() && !IsJson(request)) return UnsupportedMediaType();
  const auto id = IdOf(request);
  if (!id) return NotFound("dead letter");
  decision.dead_letter_id = id;
  const auto found = letters_.Get(*id, TenantOf(caller));
  if (!found) return FromError(found.error());
  if (!*found) return NotFound("dead letter");
  const DeadLetter& letter = **found;
  if (letter.kind == DeadLetterKind::kRecord) {
    return NotReplayable("What a device has sent can only be sent again by the device");
  }
  decision.action_id = letter.action_id;
  if (letter.state == DeadLetterState::kDiscarded) {
    return NotReplayable("The dead letter was discarded");
  }
  const auto wanted = letter.replayed_as.value_or(*letter.action_id);
  const auto action = actions_.Get(wanted, TenantOf(caller));
  if (!action) return FromError(action.error());
  if (!*action) return NotReplayable("The action is not there any more");
  if (letter.state == DeadLetterState::kReplayed) {
    return Accepted(wanted, action::WriteAction(**action));
  }
  auto parsed = action::ParseReplay(request.body, **action, device::ClientId(letter.client_id));
  if (const auto* fault = std::get_if<action::RequestFault>(&parsed)) {
    return InvalidBody(fault->field, fault->message);
  }
  return submitter_.Submit({letter.tenant, "\x01replay/" + std::to_string(*id)},
                           OriginOf(request, caller), std::get<action::Request>(std::move(parsed)),
                           letter.action_id, decision);
}

http::Response DeadLetterRoutes::Discard(const http::Request& request,
                                         const auth::Principal& caller,
                                         postgres::Decision& decision) {
  const Parameters parameters(request, {});
  if (parameters.fault()) return *parameters.fault();
  auto note = ReadNote(request);
  if (auto* fault = std::get_if<http::Response>(&note)) return std::move(*fault);
  const auto id = IdOf(request);
  if (!id) return NotFound("dead letter");
  decision.dead_letter_id = id;
  const auto letter = letters_.Discard(*id, std::get<std::string>(note), OriginOf(request, caller));
  if (!letter) return FromError(letter.error());
  if (!*letter) return NotFound("dead letter");
  if ((*letter)->state == DeadLetterState::kReplayed) {
    return AlreadyReplayed((*letter)->replayed_as ? (*letter)->replayed_as->view() : "");
  }
  return One(**letter);
}

}  // namespace heliograph::api
