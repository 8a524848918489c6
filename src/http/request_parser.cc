// Beast asserts that a last chunk has five bytes, which it has not when it is the first one and
// comes byte by byte: a client could end the process so. What its assertions guard is guarded by
// tests/fuzz with AddressSanitizer.
#define BOOST_DISABLE_ASSERTS

#include "http/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <optional>
#include <utility>

#include "http/target.h"

namespace heliograph::http {
namespace {

namespace beast = boost::beast::http;

constexpr std::size_t kMaxFields = 128;
constexpr std::size_t kMaxTargetBytes =
    8 * 1024;  // RFC 9112, section 3: at least 8,000 should be taken

constexpr Refusal kHostWrong{400, "bad-host",
                             "A request has exactly one Host field with a host and perhaps a port"};

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

bool IsHost(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alphanumeric || std::string_view("-._~:[]%!$&'()*+;=").find(c) != std::string_view::npos;
  });
}

bool IsKnownMethod(std::string_view method) {
  static constexpr std::string_view kMethods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                                  "PATCH", "DELETE", "OPTIONS"};
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

// "GET / HTTP/2.0": the grammar of a version that we do not speak.
bool NamesAnotherVersion(std::string_view input) {
  const std::string_view line = input.substr(0, input.find_first_of("\r\n"));
  const auto slash = line.rfind(" HTTP/");
  // Byte by byte, the version is seen before the line's end.
  const std::string_view end = input.substr(line.size(), 2);
  if (slash == std::string_view::npos || !std::string_view("\r\n").starts_with(end)) return false;
  const std::string_view version = line.substr(slash + 6);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool grammatical =
      version.size() == 3 && digit(version[0]) && version[1] == '.' && digit(version[2]);
  return grammatical && version != "1.0" && version != "1.1";
}

// A header line that begins with white space continues the one before (obsolete, RFC 9112,
// section 5.2).
bool IsFolded(std::string_view header) {
  for (auto end = header.find("\r\n"); end != std::string_view::npos;
       end = header.find("\r\n", end + 2)) {
    if (end + 2 < header.size() && (header[end + 2] == ' ' || header[end + 2] == '\t')) return true;
  }
  return false;
}

// Beast's grammar, our message: fields in their order, trailers left out.
class Grammar final : public beast::basic_parser<true> {
 public:
  explicit Grammar(const ParserLimits& limits) {
    eager(false);
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    body_limit(limits.body_bytes);
  }

  std::string method;  // "" until the request line is complete
  std::string target;
  int version = 11;  // 10 or 11
  Headers headers;
  std::string body;
  bool chunk_header_taken = false;  // by the last put; the trailers belong to the last chunk's

 private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;

  static std::string String(string_view text) { return {text.data(), text.size()}; }

  void on_request_impl(beast::verb, string_view method_text, string_view target_text,
                       int version_number, error_code& error) override {
    error = {};
    version = version_number;
    method = String(method_text);
    target = String(target_text);
  }

  void on_field_impl(beast::field, string_view name, string_view value,
                     error_code& error) override {
    error = {};
    if (is_header_done()) return;  // a trailer must not pass for a field that was checked
    headers.emplace_back(LowerCase(String(name)), String(value));
    if (headers.size() > kMaxFields) error = beast::error::header_limit;
  }

  void on_header_impl(error_code& error) override { error = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& error) override {
    error = {};
  }

  std::size_t on_body_impl(string_view bytes, error_code& error) override {
    error = {};
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, string_view, error_code& error) override {
    error = {};
    chunk_header_taken = true;
  }

  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) override {
    return on_body_impl(bytes, error);
  }

  void on_finish_impl(error_code& error) override { error = {}; }
  void on_response_impl(int, string_view, int, error_code&) override {}
};

std::size_t CountFields(const Headers& headers, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(
      headers.begin(), headers.end(), [&](const auto& field) { return field.first == name; }));
}

std::optional<std::string_view> FindField(const Headers& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& field) { return field.first == name; });
  if (found == headers.end()) return std::nullopt;
  return std::string_view(found->second);
}

// How long the body is must be said once and plainly (RFC 9112, section 6.3).
std::optional<Refusal> CheckFraming(const Grammar& head) {
  const auto length = FindField(head.headers, "content-length");
  const auto coding = FindField(head.headers, "transfer-encoding");
  if (CountFields(head.headers, "content-length") > 1 || (length && coding)) {
    return Refusal{400, "bad-framing", "The body's length is said more than once"};
  }
  if (length &&
      !std::all_of(length->begin(), length->end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return Refusal{400, "bad-framing", "Content-Length is not a number"};
  }
  if (!coding) return std::nullopt;
  if (head.version < 11) return Refusal{400, "bad-framing", "HTTP/1.0 knows no Transfer-Encoding"};
  const std::string codings = LowerCase(*coding);
  if (codings == "chunked") return std::nullopt;
  if (codings.ends_with(", chunked") || codings.ends_with(",chunked")) {
    return Refusal{501, "unknown-transfer-coding", "Of the transfer codings only chunked is taken"};
  }
  return Refusal{400, "bad-framing", "The last transfer coding is not chunked"};
}

std::optional<Refusal> CheckHead(const Grammar& head) {
  if (head.target.size() > kMaxTargetBytes)
    return Refusal{414, "target-too-long", "The request target is too long"};
  if (!IsKnownMethod(head.method)) return Refusal{501, "unknown-method", "The method is not known"};
  const std::size_t hosts = CountFields(head.headers, "host");
  if (hosts > 1 || (hosts == 0 && head.version >= 11)) return kHostWrong;
  if (hosts == 1 && !IsHost(*FindField(head.headers, "host"))) return kHostWrong;
  if (auto refusal = CheckFraming(head)) return refusal;
  const auto expected = FindField(head.headers, "expect");
  if (expected && LowerCase(*expected) != "100-continue") {
    return Refusal{417, "unknown-expectation", "Of the expectations only 100-continue is taken"};
  }
  return std::nullopt;
}

}  // namespace

struct RequestParser::State {
  explicit State(const ParserLimits& limits) : grammar(limits) {}

  Grammar grammar;
  bool empty_line_skipped = false;
  std::size_t head_bytes = 0;  // taken so far
  bool head_folded = false;
  bool keep_alive = true;
  Target target;
  Refusal refusal;
};

RequestParser::RequestParser(const ParserLimits& limits)
    : limits_(limits), state_(std::make_unique<State>(limits)) {}
RequestParser::~RequestParser() = default;

bool RequestParser::begun() const { return state_->grammar.got_some(); }
std::size_t RequestParser::body_bytes() const { return state_->grammar.body.size(); }
const Refusal& RequestParser::refusal() const { return state_->refusal; }

bool RequestParser::expects_continue() const {
  return state_->grammar.version >= 11 && FindField(state_->grammar.headers, "expect").has_value();
}

RequestParser::Progress RequestParser::Refuse(int status, std::string_view type,
                                              std::string_view detail) {
  state_->refusal = {status, type, detail};
  return Progress::kRefused;
}

RequestParser::Progress RequestParser::RefuseAs(const Refusal& refusal) {
  state_->refusal = refusal;
  return Progress::kRefused;
}

// What the grammar found wrong, in the words of RFC 9110.
RequestParser::Progress RequestParser::RefuseGrammar(int error, std::string_view input) {
  switch (static_cast<beast::error>(error)) {
    case beast::error::header_limit:
      if (state_->grammar.method.empty() && input.find("\r\n") == std::string_view::npos) {
        return Refuse(414, "target-too-long", "The request line is too long");
      }
      return Refuse(431, "header-too-large", "The header fields are too many or too large");
    case beast::error::body_limit:
      return Refuse(413, "body-too-large", "The body is larger than this service takes");
    case beast::error::bad_version:
      if (NamesAnotherVersion(input)) {
        return Refuse(505, "unknown-version", "This service speaks HTTP/1.1 and HTTP/1.0");
      }
      return Refuse(400, "bad-request-line", "The request line is malformed");
    case beast::error::bad_method:
    case beast::error::bad_target:
      return Refuse(400, "bad-request-line", "The request line is malformed");
    case beast::error::bad_content_length:
    case beast::error::bad_transfer_encoding:
      return Refuse(400, "bad-framing", "The body's length cannot be told for sure");
    case beast::error::bad_chunk:
    case beast::error::bad_chunk_extension:
      return Refuse(400, "bad-chunk", "A chunk of the body is malformed");
    default:
      return Refuse(400, "bad-header", "A header field is malformed");
  }
}

// Beast takes the head in pieces of whole lines: of `rest` it took `put` bytes now.
RequestParser::Progress RequestParser::ContinueHead(std::string_view rest, std::size_t put) {
  State& state = *state_;
  state.head_bytes += put;
  state.head_folded = state.head_folded || IsFolded(rest.substr(0, put));
  const bool done = state.grammar.is_header_done();
  if (state.head_bytes + (done ? 0 : rest.size() - put) > limits_.header_bytes) {
    return RefuseGrammar(static_cast<int>(beast::error::header_limit), rest);
  }
  if (!done) return Progress::kNeedMore;
  if (state.head_folded)
    return Refuse(400, "bad-header", "A header field is continued on a second line");
  if (const auto refusal = CheckHead(state.grammar)) return RefuseAs(*refusal);
  auto target = ParseTarget(state.grammar.method, state.grammar.target);
  if (!target) return Refuse(400, "bad-target", "The request target is malformed");
  state.target = *std::move(target);
  state.keep_alive = state.grammar.keep_alive();
  return Progress::kHead;
}

RequestParser::Progress RequestParser::Parse(std::string_view input, std::size_t& taken) {
  Grammar& grammar = state_->grammar;
  taken = SkipEmptyLine(input);
  if (!grammar.got_some() && input.substr(taken) == "\r") return Progress::kNeedMore;
  while (!grammar.is_done()) {
    const std::string_view rest = input.substr(taken);
    if (rest.empty()) return Progress::kNeedMore;
    const bool in_head = !grammar.is_header_done();
    grammar.chunk_header_taken = false;
    boost::beast::error_code error;
    const std::size_t put = grammar.put(boost::asio::const_buffer(rest.data(), rest.size()), error);
    taken += put;
    const bool more = error == beast::error::need_more;
    if (error && !more) return RefuseGrammar(error.value(), rest);
    if (in_head) {
      const Progress head = ContinueHead(rest, put);
      if (head == Progress::kRefused || (head == Progress::kHead && !grammar.is_done()))
        return head;
    } else if (IsOverlongElement(more ? rest.size() - put : put, more)) {
      return Refuse(400, "bad-chunk", "A chunk's header or the trailers are too large");
    }
    if (more) return Progress::kNeedMore;
  }
  return Progress::kComplete;
}

// An element of a body is a chunk's header, the last chunk with the trailers, or data, of which any
// size is taken.
bool RequestParser::IsOverlongElement(std::size_t size, bool incomplete) const {
  return size > limits_.header_bytes && (incomplete || state_->grammar.chunk_header_taken);
}

// One empty line before a request is ignored (RFC 9112, section 2.2).
std::size_t RequestParser::SkipEmptyLine(std::string_view input) {
  if (state_->grammar.got_some() || state_->empty_line_skipped || !input.starts_with("\r\n"))
    return 0;
  state_->empty_line_skipped = true;
  return 2;
}

ParsedRequest RequestParser::Take() {
  State& state = *state_;
  ParsedRequest parsed;
  parsed.head = state.grammar.method == "HEAD";
  parsed.http_1_0 = state.grammar.version < 11;
  parsed.keep_alive = state.keep_alive;
  parsed.request.method = parsed.head ? "GET" : std::move(state.grammar.method);
  parsed.request.path = std::move(state.target.path);
  parsed.request.raw_path = std::move(state.target.raw_path);
  parsed.request.query = std::move(state.target.query);
  parsed.request.headers = std::move(state.grammar.headers);
  parsed.request.body = std::move(state.grammar.body);
  state_ = std::make_unique<State>(limits_);
  return parsed;
}

}  // namespace heliograph::http
