#include "http/response_writer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "http/event_stream.h"

namespace heliograph::http {
namespace {

std::string WithoutDate(std::string answer) {
  const auto begin = answer.find("Date: ");
  EXPECT_NE(begin, std::string::npos);
  return answer.erase(begin, answer.find("\r\n", begin) + 2 - begin);
}

std::string Write(const Response& response, bool head = false, bool http_1_0 = false,
                  bool keep_alive = true) {
  return WithoutDate(WriteAnswer(response, {head, http_1_0, keep_alive, "id-1"}));
}

TEST(WriteAnswer, SaysLengthAndTypeOfTheBody) {
  Response response;
  response.body = "{}";
  EXPECT_EQ(Write(response),
            "HTTP/1.1 200 OK\r\nX-Request-Id: id-1\r\nContent-Type: "
            "application/json\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(Write(response, true),
            "HTTP/1.1 200 OK\r\nX-Request-Id: id-1\r\nContent-Type: "
            "application/json\r\nContent-Length: 2\r\n\r\n");
  response.body.clear();
  EXPECT_EQ(Write(response), "HTTP/1.1 200 OK\r\nX-Request-Id: id-1\r\nContent-Length: 0\r\n\r\n");
}

TEST(WriteAnswer, SaysWhetherTheConnectionStays) {
  Response response;
  response.status = 204;
  EXPECT_EQ(Write(response), "HTTP/1.1 204 No Content\r\nX-Request-Id: id-1\r\n\r\n")
      << "HTTP/1.1 stays by default";
  EXPECT_EQ(Write(response, false, true),
            "HTTP/1.1 204 No Content\r\nX-Request-Id: id-1\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(Write(response, false, false, false),
            "HTTP/1.1 204 No Content\r\nX-Request-Id: id-1\r\nConnection: close\r\n\r\n");
}

TEST(WriteAnswer, OfAStreamIsTheHeadOnly) {
  Response response = StreamResponse(std::make_shared<EventStream>());
  response.body = "never sent";
  const std::string fields = "cache-control: no-store\r\nx-accel-buffering: no\r\n";
  EXPECT_EQ(Write(response),
            "HTTP/1.1 200 OK\r\nX-Request-Id: id-1\r\nContent-Type: text/event-stream\r\n"
            "Transfer-Encoding: chunked\r\n" +
                fields + "\r\n");
  EXPECT_EQ(Write(response, true),
            "HTTP/1.1 200 OK\r\nX-Request-Id: id-1\r\nContent-Type: "
            "text/event-stream\r\n" +
                fields + "\r\n");
  EXPECT_EQ(Write(response, false, true, false),
            "HTTP/1.1 200 OK\r\nX-Request-Id: id-1\r\nContent-Type: text/event-stream\r\n" +
                fields + "Connection: close\r\n\r\n");
}

TEST(WriteAnswer, LeavesOutWhatIsOursOrBreaksTheFraming) {
  Response response;
  response.status = 418;
  response.headers = {{"location", "/v1/x"},
                      {"Content-Length", "7"},
                      {"transfer-encoding", "chunked"},
                      {"connection", "close"},
                      {"x", "a\r\nset-cookie: b"},
                      {"x\n", "a"},
                      {"", "a"},
                      {"tab", "a\tb"}};
  EXPECT_EQ(Write(response),
            "HTTP/1.1 418 \r\nX-Request-Id: id-1\r\nContent-Length: 0\r\nlocation: /v1/x\r\ntab: "
            "a\tb\r\n\r\n");
}

TEST(FormatHttpDate, IsAnImfFixdate) {
  using std::chrono::sys_seconds;
  EXPECT_EQ(FormatHttpDate(sys_seconds(std::chrono::seconds(784111777))),
            "Sun, 06 Nov 1994 08:49:37 GMT")
      << "RFC 9110's own";
  EXPECT_EQ(FormatHttpDate(sys_seconds(std::chrono::seconds(0))), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(FormatHttpDate(sys_seconds(std::chrono::seconds(1709164800))),
            "Thu, 29 Feb 2024 00:00:00 GMT");
}

TEST(IsSaneRequestId, TakesIdsOnly) {
  EXPECT_TRUE(IsSaneRequestId("a"));
  EXPECT_TRUE(IsSaneRequestId("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_TRUE(IsSaneRequestId(std::string(128, 'x')));
  for (const char* insane : {"", " ", "a b", "a/b", "a\"", "\xc3\xa9", "a;b"})
    EXPECT_FALSE(IsSaneRequestId(insane)) << insane;
  EXPECT_FALSE(IsSaneRequestId(std::string(129, 'x')));
}

}  // namespace
}  // namespace heliograph::http
