// What is refused, what is taken. A refused request ends its connection, and nothing that follows
// it is ever executed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/http/raw_client.h"
#include "contract/http/test_server.h"

namespace heliograph::http::testing {
namespace {

using std::string_literals::operator""s;

struct Refused {
  std::string request;
  int status;
  const char* reason;
};

std::string WithField(const std::string& field, const std::string& body = "") {
  return "POST /echo HTTP/1.1\r\nHost: test\r\n" + field + "\r\n\r\n" + body;
}

std::string Chunked(const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

std::vector<Refused> AmbiguousLengths() {
  return {
      {WithField("Content-Length: 5\r\nContent-Length: 5", "hello"), 400, "said twice, equal"},
      {WithField("Content-Length: 5\r\nContent-Length: 6", "hello"), 400, "said twice, different"},
      {WithField("Content-Length: 5\r\nX: y\r\ncontent-length: 5", "hello"), 400,
       "twice, in other letters"},
      {WithField("Content-Length: 5, 5", "hello"), 400, "a list"},
      {WithField("Content-Length: 5,6", "hello"), 400, "a list that differs"},
      {WithField("Content-Length: abc"), 400, "no number"},
      {WithField("Content-Length: +5", "hello"), 400, "a sign"},
      {WithField("Content-Length: -5", "hello"), 400, "negative"},
      {WithField("Content-Length: 0x5", "hello"), 400, "hexadecimal"},
      {WithField("Content-Length: 5 5", "hello"), 400, "two numbers"},
      {WithField("Content-Length: 5.0", "hello"), 400, "a fraction"},
      {WithField("Content-Length:"), 400, "empty"},
      {WithField("Content-Length: 18446744073709551621", "hello"), 400,
       "5 after an overflow of 64 bits"},
      {WithField("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400, "CL.TE"},
      {WithField("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"), 400, "TE.CL"},
      {WithField("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400,
       "TE twice"},
      {WithField("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400,
       "TE.TE"},
      {WithField("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"), 400,
       "TE.TE"},
      {WithField("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 501,
       "a coding that we do not know"},
      {WithField("Transfer-Encoding: chunked, gzip", "0\r\n\r\n"), 400, "chunked is not the last"},
      {WithField("Transfer-Encoding: xchunked", "0\r\n\r\n"), 400, "nearly chunked"},
      {WithField("Transfer-Encoding: chunked;q=1", "0\r\n\r\n"), 400, "with a parameter"},
      {WithField("Transfer-Encoding: \"chunked\"", "0\r\n\r\n"), 400, "quoted"},
      {WithField("Transfer-Encoding: chunked\x0b", "0\r\n\r\n"), 400,
       "a control character after it"},
      {WithField("Transfer-Encoding : chunked", "0\r\n\r\n"), 400, "white space before the colon"},
      {WithField("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"), 400, "folded"},
      {WithField("Content-Length: 5\r\nTransfer_Encoding : chunked", "hello"), 400,
       "white space before a colon"},
      {"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
       "HTTP/1.0 has no chunks"},
  };
}

std::vector<Refused> BadChunks() {
  return {
      {Chunked("zz\r\nhello\r\n0\r\n\r\n"), 400, "no size"},
      {Chunked("-5\r\nhello\r\n0\r\n\r\n"), 400, "negative"},
      {Chunked("+5\r\nhello\r\n0\r\n\r\n"), 400, "a sign"},
      {Chunked("0x5\r\nhello\r\n0\r\n\r\n"), 400, "a prefix"},
      {Chunked(" 5\r\nhello\r\n0\r\n\r\n"), 400, "white space before"},
      {Chunked("5\nhello\r\n0\r\n\r\n"), 400, "a bare LF"},
      {Chunked("5\r\nhelloworld\r\n0\r\n\r\n"), 400, "longer than it says"},
      {Chunked("5\r\nhello0\r\n\r\n"), 400, "no line end after the data"},
      {Chunked("5\r\nhello\n0\r\n\r\n"), 400, "a bare LF after the data"},
      {Chunked("FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"), 400, "more than 64 bits"},
      {Chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"), 400, "5 after an overflow of 64 bits"},
      {Chunked("FFFFFFFF\r\nhello"), 413, "4 GiB"},
      {Chunked("5;\x01\r\nhello\r\n0\r\n\r\n"), 400, "a control character in an extension"},
      {Chunked("5;" + std::string(40000, 'e') + "\r\nhello\r\n0\r\n\r\n"), 400,
       "an extension without end"},
      {Chunked("0\r\nX: " + std::string(40000, 't') + "\r\n\r\n"), 400, "trailers without end"},
      {Chunked("0\r\nContent-Length: 5\r\n\r\n"), 400, "a length in a trailer"},
      {Chunked("0\r\nno colon\r\n\r\n"), 400, "a malformed trailer"},
  };
}

std::vector<Refused> BadHeads() {
  return {
      {"GET /tiny HTTP/1.1\nHost: test\n\n", 400, "bare LF everywhere"},
      {"GET /tiny HTTP/1.1\r\nHost: test\nX: y\r\n\r\n", 400, "one bare LF"},
      {"GET /tiny HTTP/1.1\r\nHost: test\r\nX: a\rb\r\n\r\n", 400, "a bare CR"},
      {"GET /tiny HTTP/1.1\r\nHost: test\r\nX: a\0b\r\n\r\n"s, 400, "NUL in a value"},
      {"GET /tiny HTTP/1.1\r\nHost: test\r\nX\0: b\r\n\r\n"s, 400, "NUL in a name"},
      {"GET /tiny\0 HTTP/1.1\r\nHost: test\r\n\r\n"s, 400, "NUL in the target"},
      {"GET /tiny HTTP/1.1\r\nHost: test\r\nX: a\r\n b\r\n\r\n", 400, "a folded field"},
      {"GET /tiny HTTP/1.1\r\n Host: test\r\n\r\n", 400, "white space before the first field"},
      {"GET /tiny HTTP/1.1\r\nHost : test\r\n\r\n", 400, "white space before a colon"},
      {"GET /tiny HTTP/1.1\r\nHost: test\r\n: x\r\n\r\n", 400, "no name"},
      {"GET /tiny HTTP/1.1\r\nHost: test\r\nnonsense\r\n\r\n", 400, "no colon"},
      {"GET /tiny HTTP/1.1\r\nHost: test\r\nX[1]: y\r\n\r\n", 400, "no token"},
      {"GET /tiny HTTP/1.1\r\n\r\n", 400, "no Host"},
      {"GET /tiny HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "two hosts"},
      {"GET /tiny HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "a list of hosts"},
      {"GET /tiny HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "a path in Host"},
      {"GET /tiny HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "a user in Host"},
      {"GET http://a/tiny HTTP/1.1\r\n\r\n", 400, "absolute-form needs a Host too"},
      {"GET /tiny HTTP/2.0\r\nHost: test\r\n\r\n", 505, "HTTP/2.0"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "the preface of HTTP/2"},
      {"GET /tiny HTTP/1.2\r\nHost: test\r\n\r\n", 505, "HTTP/1.2"},
      {"GET /tiny HTTP/0.9\r\nHost: test\r\n\r\n", 505, "HTTP/0.9"},
      {"GET /tiny HTTP/1.10\r\nHost: test\r\n\r\n", 400, "no version"},
      {"GET /tiny http/1.1\r\nHost: test\r\n\r\n", 400, "small letters"},
      {"GET /tiny HTTP/1.1 \r\nHost: test\r\n\r\n", 400, "white space after the version"},
      {"GET /tiny\r\nHost: test\r\n\r\n", 400, "no version at all"},
      {"GET  /tiny HTTP/1.1\r\nHost: test\r\n\r\n", 400, "two spaces"},
      {"GET\t/tiny HTTP/1.1\r\nHost: test\r\n\r\n", 400, "a tab"},
      {" GET /tiny HTTP/1.1\r\nHost: test\r\n\r\n", 400, "white space before the method"},
      {"\r\n\r\nGET /tiny HTTP/1.1\r\nHost: test\r\n\r\n", 400, "two empty lines before"},
      {"G(T /tiny HTTP/1.1\r\nHost: test\r\n\r\n", 400, "no token as method"},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400, "TLS"},
      {"BREW /tiny HTTP/1.1\r\nHost: test\r\n\r\n", 501, "a method that we do not know"},
      {"get /tiny HTTP/1.1\r\nHost: test\r\n\r\n", 501, "methods are case-sensitive"},
      {"CONNECT test:80 HTTP/1.1\r\nHost: test\r\n\r\n", 501, "no proxy"},
      {"TRACE /tiny HTTP/1.1\r\nHost: test\r\n\r\n", 501, "would show what proxies added"},
      {"GET /tiny HTTP/1.1\r\nHost: test\r\nExpect: a-miracle\r\n\r\n", 417,
       "an expectation that we do not know"},
  };
}

std::vector<Refused> BadTargets() {
  return {
      {Get("tiny"), 400, "no slash"},
      {Get("*"), 400, "the asterisk is for OPTIONS"},
      {Get("test:80"), 400, "authority-form"},
      {Get("ftp://test/tiny"), 400, "another scheme"},
      {Get("http:///tiny"), 400, "no host"},
      {Get("/tiny#x"), 400, "a fragment"},
      {Get("/%zz"), 400, "a broken escape"},
      {Get("/%4"), 400, "half an escape"},
      {Get("/%"), 400, "half an escape"},
      {Get("/a%00b"), 400, "U+0000 in the path"},
      {Get("/tiny?q=%00"), 400, "U+0000 in the query"},
      {Get("/tiny?%ff=1"), 400, "not UTF-8"},
      {Get("/%c0%af"), 400, "an overlong slash"},
      {Get("/%ed%a0%80"), 400, "a surrogate"},
      {Get("/\xc3\xa9"), 400, "not encoded"},
      {Get("/\x7f"), 400, "a control character"},
      {Get("/" + std::string(9000, 'a')), 414, "longer than 8 KiB"},
      {Get("/" + std::string(20000, 'a')), 414, "longer than the header may be"},
  };
}

std::vector<Refused> TooLarge() {
  std::string many_fields;
  for (int i = 0; i < 200; ++i) many_fields += "X-" + std::to_string(i) + ": y\r\n";
  return {
      {Get("/tiny", "X: " + std::string(20000, 'x') + "\r\n"), 431, "one field of 20 kB"},
      {Get("/tiny", "X: " + std::string(9000, 'x') + "\r\nY: " + std::string(9000, 'y') + "\r\n"),
       431, "two of 9 kB"},
      {Get("/tiny", many_fields), 431, "200 fields"},
      {WithField("Content-Length: 1048577"), 413, "one byte too many: refused before it is sent"},
      {WithField("Content-Length: 1048577\r\nExpect: 100-continue"), 413, "and never asked for"},
      {WithField("Content-Length: 18446744073709551615"), 413, "2^64 - 1"},
      {Chunked("100001\r\n"), 413, "a chunk that is too large"},
  };
}

class FramingRefuses : public ::testing::Test {
 protected:
  void Try(const std::vector<Refused>& table, bool one_byte_at_a_time = false) {
    for (const Refused& row : table) {
      SCOPED_TRACE(row.reason);
      RawClient client(server_.port());
      const std::string bytes = row.request + Get("/smuggled");
      if (one_byte_at_a_time) {
        for (const char& byte : bytes) client.Send({&byte, 1});
      } else {
        client.Send(bytes);
      }
      const auto answer = client.ReadAnswer();
      ASSERT_TRUE(answer.has_value());
      EXPECT_EQ(answer->status, row.status);
      EXPECT_EQ(answer->headers.at("connection"), "close");
      EXPECT_EQ(answer->headers.at("content-type"), "application/problem+json");
      EXPECT_FALSE(answer->headers.at("x-request-id").empty());
      EXPECT_EQ(client.ReadToEnd(), "") << "nothing follows, and the connection ends";
    }
    EXPECT_EQ(server_.handled(), 0) << "no handler saw any of it";
  }

  TestServer server_;
};

TEST_F(FramingRefuses, AmbiguousLengths) { Try(AmbiguousLengths()); }
TEST_F(FramingRefuses, BadChunks) { Try(BadChunks()); }
TEST_F(FramingRefuses, BadHeads) { Try(BadHeads()); }
TEST_F(FramingRefuses, BadTargets) { Try(BadTargets()); }
TEST_F(FramingRefuses, TooLarge) { Try(TooLarge()); }
TEST_F(FramingRefuses, TheSameOneByteAtATime) {
  Try(AmbiguousLengths(), true);
  Try(BadHeads(), true);
}

TEST_F(FramingRefuses, AreCountedByCause) {
  Ask(server_.port(), Get("tiny"));
  EXPECT_EQ(server_.Rejected("bad-target"), 1);
}

struct Taken {
  std::string request;
  std::vector<std::string> bodies;  // of the answers
  const char* reason;
};

std::vector<Taken> TakenRequests() {
  return {
      {Get("/tiny"), {R"({"ok":true})"}, "plain"},
      {"\r\n" + Get("/tiny"), {R"({"ok":true})"}, "an empty line before (RFC 9112, section 2.2)"},
      {"GET http://test:80/things/a?b HTTP/1.1\r\nHost: test:80\r\n\r\n", {"a"}, "absolute-form"},
      {"GET HTTP://TEST/things/a HTTP/1.1\r\nHost: test\r\n\r\n", {"a"}, "a scheme in capitals"},
      {"GET /things/a HTTP/1.1\r\nhOsT:test\r\n\r\n", {"a"}, "names in any letters, no space"},
      {"GET /things/a HTTP/1.1\r\nHost: \t [::1]:80 \t\r\nX:\r\n\r\n",
       {"a"},
       "white space around, an empty value"},
      {"GET /things/a HTTP/1.0\r\n\r\n", {"a"}, "HTTP/1.0 needs no Host"},
      {Get("/things/a%2Fb%20%C3%A9"), {"a/b \xc3\xa9"}, "an encoded slash separates nothing"},
      {Get("/things/a+b"), {"a+b"}, "plus is plus in a path"},
      {Post("/echo", "hello"), {"hello"}, "a body"},
      {Post("/echo", ""), {""}, "an empty body"},
      {Post("/echo", std::string(1024 * 1024, 'x')),
       {std::string(1024 * 1024, 'x')},
       "the largest body"},
      {Chunked("5\r\nhello\r\n6;a=b;c=\"d\"\r\n world\r\n0\r\n\r\n"),
       {"hello world"},
       "chunks with extensions"},
      {Chunked("00000005\r\nhello\r\n000\r\n\r\n"), {"hello"}, "sizes with zeros"},
      {Chunked("0\r\n\r\n"), {""}, "no chunk at all"},
      {WithField("Transfer-Encoding: CHUNKED", "1\r\na\r\n0\r\n\r\n"),
       {"a"},
       "codings in any letters"},
      {WithField("Content-Length: 007", "1234567"), {"1234567"}, "a length with zeros"},
      {Get("/things/1") + Get("/things/2") + Post("/echo", "3") + Get("/things/4"),
       {"1", "2", "3", "4"},
       "pipelined"},
      {Chunked("1\r\na\r\n0\r\nX: y\r\n\r\n") + Get("/things/2"),
       {"a", "2"},
       "pipelined after trailers"},
  };
}

TEST(FramingTakes, WellFormedRequests) {
  TestServer server;
  for (const Taken& row : TakenRequests()) {
    SCOPED_TRACE(row.reason);
    for (const bool one_byte_at_a_time : {false, true}) {
      if (one_byte_at_a_time && row.request.size() > 10000) continue;
      RawClient client(server.port());
      if (one_byte_at_a_time) {
        for (const char& byte : row.request) client.Send({&byte, 1});
      } else {
        client.Send(row.request);
      }
      for (const std::string& body : row.bodies) {
        const auto answer = client.ReadAnswer();
        ASSERT_TRUE(answer.has_value());
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->body, body);
      }
    }
  }
}

TEST(FramingTakes, ABodyInManyPieces) {
  TestServer server;
  const std::string body(300000, 'p');
  RawClient client(server.port());
  const std::string request = Post("/echo", body);
  for (std::size_t at = 0; at < request.size(); at += 777)
    client.Send(std::string_view(request).substr(at, 777));
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, body);
}

TEST(FramingTakes, NoTrailerForAHeaderField) {
  TestServer server;
  const auto answer = Ask(server.port(),
                          "POST /see HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "1\r\na\r\n0\r\nAuthorization: Bearer stolen\r\n\r\n");
  ASSERT_TRUE(answer.has_value());
  EXPECT_NE(answer->body.find("authorization=none"), std::string::npos);
}

TEST(FramingTakes, ExpectContinue) {
  TestServer server;
  RawClient client(server.port());
  client.Send(WithField("Content-Length: 5\r\nExpect: 100-Continue"));
  const auto interim = client.ReadAnswer();
  ASSERT_TRUE(interim.has_value());
  EXPECT_EQ(interim->status, 100);
  client.Send("hello");
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello");
}

TEST(FramingTakes, ExpectContinueFromOneWhoDoesNotWait) {
  TestServer server;
  const auto answer =
      Ask(server.port(), WithField("Content-Length: 5\r\nExpect: 100-continue", "hello"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200) << "the body came along, so nothing has to be said before";
}

}  // namespace
}  // namespace heliograph::http::testing
