#include "ctl/events.h"

#include <gtest/gtest.h>

namespace heliograph::ctl {
namespace {

std::string Read(EventParser& parser, std::vector<StreamEvent>& events, std::string_view text,
                 std::size_t piece) {
  events.clear();
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    parser.Take(text.substr(0, piece));
  }
  std::string all;
  for (const StreamEvent& one : events) all += one.type + "=" + one.data + "@" + one.id + ";";
  return all;
}

TEST(EventParser, TakesAStreamInPieces) {
  constexpr std::string_view kStream =
      "retry: 700\n\nid: t7.0\n\n: a heartbeat\n\nevent: a\nid: t8.1\ndata: {}\n\n"
      "data:one\r\ndata: two\r\n\r\nevent: unfinished\nid: t9.1\ndata: x\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, kStream.size()}) {
    std::vector<StreamEvent> events;
    EventParser parser([&](const StreamEvent& event) { events.push_back(event); }, "t1.0");
    EXPECT_EQ(parser.last_id(), "t1.0");
    EXPECT_EQ(Read(parser, events, kStream, piece), "a={}@t8.1;message=one\ntwo@t8.1;");
    EXPECT_EQ(parser.retry(), std::chrono::milliseconds(700));
    parser.BeginAnew();
    EXPECT_EQ(parser.last_id(), "t8.1") << "what has not come whole has not come";
    EXPECT_EQ(Read(parser, events, "data: y\n\n", piece), "message=y@t8.1;");
  }
}

TEST(EventLine, SaysWhatHappened) {
  EXPECT_EQ(EventLine({"c7.0.12", "connection.offline",
                       R"({"subject":"pv-1","time":"2026-11-22T00:10:00.123Z",)"
                       R"("data":{"state":"offline","reason":"connection_lost"}})"}),
            "2026-11-22T00:10:00Z  connection.offline  pv-1  connection_lost  c7.0.12");
  EXPECT_EQ(
      EventLine({"t8.3", "action.target",
                 R"({"subject":"pv-1","time":"2026-11-22T00:10:00Z","data":{"action_id":"01a1",)"
                 R"("target":{"status":"running","progress":40,"note":"half\u0007"}}})"}),
      "2026-11-22T00:10:00Z  action.target  pv-1  01a1  running  40 %  half\\x07  t8.3");
  EXPECT_EQ(EventLine({"t8.3", "another", "no JSON"}), "-  another  -  t8.3");
}

}  // namespace
}  // namespace heliograph::ctl
