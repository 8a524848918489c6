#include "http/message.h"

#include <algorithm>

#include "json/json.h"

namespace heliograph::http {
namespace {

template <class Pairs>
std::optional<std::string_view> FirstNamed(const Pairs& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(),
                                  [&](const auto& pair) { return pair.first == name; });
  if (found == pairs.end()) return std::nullopt;
  return std::string_view(found->second);
}

}  // namespace

std::optional<std::string_view> Request::Header(std::string_view lower_case_name) const {
  return FirstNamed(headers, lower_case_name);
}

std::optional<std::string_view> Request::Query(std::string_view name) const {
  return FirstNamed(query, name);
}

Response Problem(int status, std::string_view type, std::string_view title,
                 std::string_view detail) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.problem = type;
  response.body = json::Write({{"type", "/problems/" + std::string(type)},
                               {"title", title},
                               {"status", status},
                               {"detail", detail}});
  return response;
}

std::string JsonString(std::string_view text) { return json::Write(json::Value(text)); }

std::string_view ReasonPhrase(int status) {
  static constexpr std::pair<int, std::string_view> kPhrases[] = {
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {304, "Not Modified"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  };
  const auto* const found = std::find_if(std::begin(kPhrases), std::end(kPhrases),
                                         [&](const auto& one) { return one.first == status; });
  return found == std::end(kPhrases) ? std::string_view() : found->second;
}

}  // namespace heliograph::http
