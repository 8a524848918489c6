// Any bytes: the parser neither crashes nor reads what it makes of them differently when they come
// in other pieces.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_parser.h"

using heliograph::http::ParsedRequest;
using heliograph::http::RequestParser;

namespace {

using Progress = RequestParser::Progress;

constexpr heliograph::http::ParserLimits kLimits{512, 256};

std::string Describe(const ParsedRequest& parsed) {
  std::string text =
      parsed.request.method + " " + parsed.request.path + (parsed.keep_alive ? " k" : " c");
  for (const auto& [name, value] : parsed.request.headers)
    text.append("\n").append(name).append(": ").append(value);
  return text + "\n\n" + parsed.request.body;
}

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Feeds as a connection does: in pieces, keeping what was not taken, up to the first refusal. When
// a refusal comes may differ, what was executed before it may not.
std::vector<std::string> Feed(std::string_view input, std::size_t piece) {
  std::vector<std::string> requests;
  RequestParser parser(kLimits);
  std::string left;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    left.append(input.substr(at, piece));
    for (bool again = true; again;) {
      std::size_t taken = 0;
      const Progress progress = parser.Parse(left, taken);
      Require(taken <= left.size(), "it takes no more than there is");
      left.erase(0, taken);
      if (progress == Progress::kRefused) return requests;
      if (progress == Progress::kComplete) requests.push_back(Describe(parser.Take()));
      again = progress != Progress::kNeedMore;
      Require(again || left.size() <= kLimits.header_bytes, "what is kept is bounded");
      Require(parser.body_bytes() <= kLimits.body_bytes, "the body is bounded");
    }
  }
  return requests;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> whole = Feed(input, size == 0 ? 1 : size);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    Require(Feed(input, piece) == whole, "the same requests in any pieces");
  }
  return 0;
}
