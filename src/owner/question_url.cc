#include "owner/question_url.h"

#include <algorithm>

#include "http_client/url.h"

namespace heliograph::owner {
namespace {

constexpr std::string_view kClientId = "{client_id}";
constexpr std::string_view kSubject = "{subject}";

base::Error Wrong(std::string_view why) {
  return base::MakeError(base::ErrorCode::kInvalidArgument, "owners.http.url " + std::string(why));
}

bool IsPrintable(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

std::string SubjectOf(const device::ClientId& client_id) {
  // None of a client id's characters has a meaning of its own in a distinguished name.
  return "CN=" + client_id.str();
}

base::Result<QuestionUrl> QuestionUrl::Parse(std::string_view text) {
  if (!std::ranges::all_of(text, IsPrintable)) return Wrong("holds spaces");
  if (!http_client::IsTrustworthy(text)) return Wrong("must be https, or http to localhost");
  if (text.find('#') != text.npos) return Wrong("has a fragment");
  const std::size_t host = text.find("://") + 3;
  const std::size_t path = std::min(text.find_first_of("/?", host), text.size());
  if (text.substr(host, path - host).find_first_of("{}@") != text.npos) {
    return Wrong("must name the host as it is, without a user");
  }
  QuestionUrl url;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t brace = std::min(text.find_first_of("{}", at), text.size());
    if (brace > at) url.pieces_.push_back({Kind::kText, std::string(text.substr(at, brace - at))});
    const std::string_view rest = text.substr(brace);
    at = brace;
    if (rest.starts_with(kClientId)) {
      url.pieces_.push_back({Kind::kClientId, ""});
      if (text.substr(0, brace).find('?') == text.npos) url.in_path_ = true;
      at += kClientId.size();
    } else if (rest.starts_with(kSubject)) {
      url.pieces_.push_back({Kind::kSubject, ""});
      at += kSubject.size();
    } else if (!rest.empty()) {
      return Wrong("may hold {client_id} and {subject}, and no other braces");
    }
  }
  const bool asks = std::ranges::any_of(
      url.pieces_, [](const Piece& piece) { return piece.kind == Kind::kClientId; });
  if (!asks) return Wrong("must hold {client_id}");
  return url;
}

base::Result<std::string> QuestionUrl::For(const device::ClientId& client_id) const {
  if (in_path_ && (client_id.view() == "." || client_id.view() == "..")) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "the client id cannot stand in the path of a URL");
  }
  std::string url;
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Kind::kText:
        url += piece.text;
        break;
      case Kind::kClientId:
        url += http_client::PercentEncode(client_id.view());
        break;
      case Kind::kSubject:
        url += http_client::PercentEncode(SubjectOf(client_id));
        break;
    }
  }
  return url;
}

}  // namespace heliograph::owner
