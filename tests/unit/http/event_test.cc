#include "http/event.h"

#include <gtest/gtest.h>

#include <string>

namespace heliograph::http {
namespace {

using std::string_literals::operator""s;

std::string Written(const Event& event) { return std::string(FormatEvent(event).text()); }

TEST(FormatEvent, HasItsFieldsAndAnEmptyLine) {
  EXPECT_EQ(Written({"7-1", "connection.online", R"({"a":1})"}),
            "id: 7-1\nevent: connection.online\ndata: {\"a\":1}\n\n");
  EXPECT_EQ(Written({{}, "", "x"}), "data: x\n\n");
  EXPECT_EQ(Written({{}, "reset", ""}), "event: reset\ndata: \n\n")
      << "without a data field the client would not see it";
  EXPECT_EQ(Written({"", "", "x"}), "id: \ndata: x\n\n") << "the client forgets its last id";
}

TEST(FormatEvent, SplitsDataIntoLines) {
  struct {
    std::string data;
    std::string fields;
  } const table[] = {
      {"a\nb", "data: a\ndata: b\n"},
      {"a\r\nb", "data: a\ndata: b\n"},
      {"a\rb", "data: a\ndata: b\n"},
      {"a\n\rb", "data: a\ndata: \ndata: b\n"},
      {"a\r\r\nb", "data: a\ndata: \ndata: b\n"},
      {"\n", "data: \ndata: \n"},
      {"a\n", "data: a\ndata: \n"},
      {"\r", "data: \ndata: \n"},
      {" a", "data:  a\n"},
      {"a\0b"s, "data: a\0b\n"s},
      {"x\n\nid: 9\nevent: forged\ndata: y\n\n",
       "data: x\ndata: \ndata: id: 9\ndata: event: forged\ndata: data: y\ndata: \ndata: \n"},
      {"x\n:\nretry: 0", "data: x\ndata: :\ndata: retry: 0\n"},
  };
  for (const auto& row : table) EXPECT_EQ(Written({{}, "", row.data}), row.fields + "\n");
}

TEST(FormatEvent, LeavesOutWhatIsNoLine) {
  for (const std::string& hostile :
       {"1\nevent: forged"s, "1\rdata: forged"s, "1\r\n\r\n"s, "\n"s, "1\0"s, "\0"s}) {
    EXPECT_EQ(Written({hostile, "t", "x"}), "event: t\ndata: x\n\n");
  }
  for (const std::string& hostile : {"t\ndata: forged"s, "t\r"s, "\n\n"s}) {
    EXPECT_EQ(Written({"1", hostile, "x"}), "id: 1\ndata: x\n\n");
  }
}

TEST(FormatRetry, IsAFieldAndNoEvent) {
  EXPECT_EQ(FormatRetry(std::chrono::seconds(3)).text(), "retry: 3000\n\n");
  EXPECT_EQ(FormatRetry(std::chrono::milliseconds(-1)).text(), "retry: 0\n\n");
}

TEST(StreamText, IsFramedOnceAndShared) {
  const StreamText text("data: x\n\n");
  EXPECT_EQ(text.text(), "data: x\n\n");
  EXPECT_EQ(text.chunk(), "9\r\ndata: x\n\n\r\n");
  const StreamText copy = text;
  EXPECT_EQ(copy.text().data(), text.text().data());
  EXPECT_TRUE(StreamText(std::string(256, 'x')).chunk().starts_with("100\r\nx"));
}

TEST(StreamText, WithoutTextIsNoChunk) {
  EXPECT_EQ(StreamText("").chunk(), "") << "it would end the body";
  EXPECT_EQ(StreamText().chunk(), "");
  EXPECT_EQ(StreamText().text(), "");
}

}  // namespace
}  // namespace heliograph::http
