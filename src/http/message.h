// A request and a response, plain: what handlers see. No server, no library.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heliograph::http {

class EventStream;

// Names in lower case.
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;    // "GET"; HEAD arrives as "GET", the server leaves the body out
  std::string path;      // percent-decoded, without the query; valid UTF-8 without U+0000
  std::string raw_path;  // as sent: the router splits this one, so that %2F is no separator ("" =
                         // take `path`)
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order; as `path`
  Headers headers;                                         // in order; trailers are left out
  std::string body;
  std::string request_id;  // X-Request-Id: the caller's if it is sane, else a new one
  std::map<std::string, std::string, std::less<>> path_parameters;  // decoded; set by the router
  std::string remote_address;                                       // "127.0.0.1"

  // The first of that name.
  std::optional<std::string_view> Header(std::string_view lower_case_name) const;
  std::optional<std::string_view> Query(std::string_view name) const;
};

// The server adds Date, Content-Length, Connection and X-Request-Id itself; those names are ignored
// in `headers`.
struct Response {
  int status = 200;
  std::string content_type = "application/json";  // left out when the body is empty
  Headers headers;
  std::string body;       // never sent with 204, 304 or to HEAD
  std::string problem{};  // the type of a problem, "not-found"; "" = it is none
  std::string
      matched_template{};  // set by the router, for metrics and logs: never a raw path as a label
  // In place of a body, with status 200: made by StreamResponse (event_stream.h).
  std::shared_ptr<EventStream> stream{};
};

// RFC 9457. `type` is the stable part, written as "/problems/<type>".
Response Problem(int status, std::string_view type, std::string_view title,
                 std::string_view detail);

// `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. For bodies of a
// line or two.
std::string JsonString(std::string_view text);

// The reason phrase of a status code; "" for one that has none here.
std::string_view ReasonPhrase(int status);

}  // namespace heliograph::http
