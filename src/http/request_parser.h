// Bytes -> one request: RFC 9112 without its leniencies, for what two parsers read differently is
// how requests are smuggled. Boost.Beast's parser does the grammar; what it lets through and we do
// not is refused here.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace heliograph::http {

struct ParserLimits {
  std::size_t header_bytes =
      16 * 1024;  // request line and header fields; also a chunk's header, also the trailers
  std::size_t body_bytes = 1024 * 1024;
};

// Why bytes are no request that we take. After it the connection is closed: where the next request
// begins is not known.
struct Refusal {
  int status = 400;
  std::string_view type;    // of the problem, and the label of the metric
  std::string_view detail;  // for the caller
};

struct ParsedRequest {
  Request request;  // without request_id and remote_address
  bool head = false;
  bool http_1_0 = false;
  bool keep_alive = true;  // the caller would like to send another
};

// Threads: one thread.
class RequestParser {
 public:
  enum class Progress {
    kNeedMore,  // everything that could be taken was taken
    kHead,      // the header is complete, a body follows
    kComplete,
    kRefused,
  };

  explicit RequestParser(const ParserLimits& limits);
  ~RequestParser();

  // Takes from the front of `input`, which begins with what the last call left, and sets `taken` to
  // how much. The caller never has to keep more than header_bytes of what was not taken: beyond
  // that the request is refused.
  Progress Parse(std::string_view input, std::size_t& taken);

  bool begun() const;  // something of a request was taken
  bool expects_continue()
      const;  // after kHead: the caller waits for "100 Continue" before it sends the body
  std::size_t body_bytes() const;
  const Refusal& refusal() const;  // after kRefused
  ParsedRequest Take();            // after kComplete; the parser is then ready for the next request

 private:
  struct State;
  Progress Refuse(int status, std::string_view type, std::string_view detail);
  Progress RefuseAs(const Refusal& refusal);
  Progress RefuseGrammar(int error, std::string_view input);
  Progress ContinueHead(std::string_view rest, std::size_t put);
  std::size_t SkipEmptyLine(std::string_view input);
  bool IsOverlongElement(std::size_t size, bool incomplete) const;

  ParserLimits limits_;
  std::unique_ptr<State> state_;
};

}  // namespace heliograph::http
