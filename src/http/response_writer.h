// Response -> the bytes of an HTTP/1.1 answer (RFC 9112).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/message.h"

namespace heliograph::http {

struct AnswerFrame {
  bool head = false;        // leave the body out, keep its length
  bool http_1_0 = false;    // the caller has to be told that the connection stays
  bool keep_alive = false;  // false: this is the last answer on the connection
  std::string_view request_id;
};

// Of a response with a stream, the head: the body is chunked, or to HTTP/1.0 ends with the
// connection. Header fields with a name or value that would break the framing are left out and
// logged. Threads: any thread.
std::string WriteAnswer(const Response& response, const AnswerFrame& frame);

// "Sat, 21 Nov 2026 02:29:54 GMT" (RFC 9110, section 5.6.7).
std::string FormatHttpDate(std::chrono::sys_seconds time);

// A request id as we take it from others: 1 to 128 of [A-Za-z0-9._:-].
bool IsSaneRequestId(std::string_view text);

}  // namespace heliograph::http
