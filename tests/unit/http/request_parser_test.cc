// The grammar itself is shown over sockets by tests/contract/http/framing_test.cc; here is what
// pieces and limits do.
#include "http/request_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace heliograph::http {
namespace {

using Progress = RequestParser::Progress;

// Feeds `input` in pieces of `piece` bytes until a request is complete or refused.
Progress Feed(RequestParser& parser, const std::string& input, std::size_t piece) {
  std::string left;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    left += input.substr(at, piece);
    for (bool again = true; again;) {
      std::size_t taken = 0;
      const Progress progress = parser.Parse(left, taken);
      left.erase(0, taken);
      if (progress == Progress::kComplete || progress == Progress::kRefused) return progress;
      again = progress == Progress::kHead && !left.empty();
    }
  }
  return Progress::kNeedMore;
}

const char* const kRequests[] = {
    "GET /a?b=c HTTP/1.1\r\nHost: h\r\nX-Y: z\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
    "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: "
    "u\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "\r\nHEAD / HTTP/1.0\r\n\r\n",
};

TEST(RequestParser, TakesPiecesOfAnySize) {
  for (const std::string request : kRequests) {
    RequestParser whole({});
    ASSERT_EQ(Feed(whole, request, request.size()), Progress::kComplete) << request;
    const ParsedRequest expected = whole.Take();
    for (std::size_t piece = 1; piece < request.size(); ++piece) {
      SCOPED_TRACE(request + " in pieces of " + std::to_string(piece));
      RequestParser parser({});
      ASSERT_EQ(Feed(parser, request, piece), Progress::kComplete);
      const ParsedRequest parsed = parser.Take();
      EXPECT_EQ(parsed.request.method, expected.request.method);
      EXPECT_EQ(parsed.request.path, expected.request.path);
      EXPECT_EQ(parsed.request.headers, expected.request.headers);
      EXPECT_EQ(parsed.request.body, expected.request.body);
      EXPECT_EQ(parsed.head, expected.head);
      EXPECT_EQ(parsed.keep_alive, expected.keep_alive);
    }
  }
}

TEST(RequestParser, StopsWhereTheRequestEnds) {
  for (const std::string request : kRequests) {
    RequestParser parser({});
    const std::string input = request + "GET /next";
    std::size_t total = 0;
    std::size_t taken = 0;
    while (parser.Parse(std::string_view(input).substr(total), taken) != Progress::kComplete)
      total += taken;
    EXPECT_EQ(total + taken, request.size());
  }
}

TEST(RequestParser, SaysWhetherARequestHasBegun) {
  RequestParser parser({});
  std::size_t taken = 0;
  EXPECT_FALSE(parser.begun());
  EXPECT_EQ(parser.Parse("\r", taken), Progress::kNeedMore);
  EXPECT_EQ(parser.Parse("\r\n", taken), Progress::kNeedMore);
  EXPECT_EQ(taken, 2U);
  EXPECT_FALSE(parser.begun()) << "an empty line is nothing";
  EXPECT_EQ(parser.Parse("G", taken), Progress::kNeedMore);
  EXPECT_TRUE(parser.begun());
}

TEST(RequestParser, TellsOfTheHeadBeforeTheBody) {
  RequestParser parser({});
  std::size_t taken = 0;
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(parser.Parse(head, taken), Progress::kHead);
  EXPECT_EQ(taken, head.size());
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(parser.Parse("a", taken), Progress::kNeedMore);
  EXPECT_EQ(parser.body_bytes(), 1U);
  EXPECT_EQ(parser.Parse("b", taken), Progress::kComplete);
  EXPECT_EQ(parser.Take().request.body, "ab");
  EXPECT_FALSE(parser.begun()) << "ready for the next";
}

TEST(RequestParser, HoldsItsLimitsToTheByte) {
  const std::string line = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  for (const std::size_t size : {1000U, 1024U, 1025U, 2000U}) {
    const std::string request = line + std::string(size - line.size() - 4, 'x') + "\r\n\r\n";
    ASSERT_EQ(request.size(), size);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, size}) {
      RequestParser parser({1024, 10});
      EXPECT_EQ(Feed(parser, request, piece),
                size <= 1024 ? Progress::kComplete : Progress::kRefused)
          << size << " in " << piece;
      if (size > 1024) {
        EXPECT_EQ(parser.refusal().status, 431);
      }
    }
  }
  for (const std::size_t size : {9U, 10U, 11U}) {
    const std::string body(size, 'b');
    RequestParser plain({1024, 10});
    const Progress expected = size <= 10 ? Progress::kComplete : Progress::kRefused;
    EXPECT_EQ(Feed(plain,
                   "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) +
                       "\r\n\r\n" + body,
                   3),
              expected);
    RequestParser chunked({1024, 10});
    std::string chunks = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t i = 0; i < size; ++i) chunks += "1\r\nb\r\n";
    EXPECT_EQ(Feed(chunked, chunks + "0\r\n\r\n", 3), expected) << "chunks are added up";
    if (size > 10) {
      EXPECT_EQ(chunked.refusal().status, 413);
    }
  }
}

TEST(RequestParser, EndlessHeadersChunksAndTrailersAreRefused) {
  struct Row {
    const char* beginning;
    int status;
  };
  const Row table[] = {
      {"", 414},
      {"GET /", 414},
      {"GET / HTTP/1.1\r\nX: ", 431},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", 400},
  };
  for (const Row& row : table) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100}}) {
      SCOPED_TRACE(row.beginning);
      RequestParser parser({1024, 10});
      ASSERT_EQ(Feed(parser, row.beginning + std::string(4096, '1'), piece), Progress::kRefused);
      EXPECT_EQ(parser.refusal().status, row.status);
    }
  }
}

TEST(RequestParser, FoldedFieldsAreFoundInAnyPieces) {
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\nY: c\r\n\r\n";
  for (std::size_t piece = 1; piece <= request.size(); ++piece) {
    RequestParser parser({});
    ASSERT_EQ(Feed(parser, request, piece), Progress::kRefused) << piece;
    EXPECT_EQ(parser.refusal().type, "bad-header");
  }
}

}  // namespace
}  // namespace heliograph::http
