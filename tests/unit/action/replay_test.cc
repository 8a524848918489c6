#include "action/replay.h"

#include <gtest/gtest.h>

namespace heliograph::action {
namespace {

Action Original() {
  Action action;
  action.directive = Directive("solar.configure");
  action.payload = R"({"limit_w":4000,"nul":"\u0000"})";
  action.metadata = R"({"ticket":"7"})";
  action.if_offline = IfOffline::kQueue;
  return action;
}

const device::ClientId kDevice("pv-1");

TEST(ParseReplay, IsTheOriginalForOneDevice) {
  const auto parsed = ParseReplay("", Original(), kDevice);
  const auto& request = std::get<Request>(parsed);
  EXPECT_EQ(request.client_ids, std::vector{kDevice});
  EXPECT_EQ(request.directive, Directive("solar.configure"));
  EXPECT_EQ(request.payload, R"({"limit_w":4000,"nul":"\u0000"})");
  EXPECT_EQ(request.metadata, (std::map<std::string, std::string>{{"ticket", "7"}}));
  EXPECT_EQ(request.if_offline, IfOffline::kQueue);
  EXPECT_FALSE(request.ttl || request.deadline);
}

TEST(ParseReplay, TakesTimeLimitAndWhatToDoOffline) {
  const auto parsed = ParseReplay(
      R"({"ttl_s":60,"if_offline":"fail","payload":1,"directive":"other","targets":7,"x":null})",
      Original(), kDevice);
  const auto& request = std::get<Request>(parsed);
  EXPECT_EQ(request.ttl, std::chrono::seconds(60));
  EXPECT_EQ(request.if_offline, IfOffline::kFail);
  EXPECT_EQ(request.payload, R"({"limit_w":4000,"nul":"\u0000"})") << "all else is the original's";
  EXPECT_EQ(
      std::get<Request>(ParseReplay(R"({"ttl_s":null,"if_offline":null})", Original(), kDevice))
          .if_offline,
      IfOffline::kQueue);
}

TEST(ParseReplay, NamesWhatIsWrong) {
  const auto field = [](std::string_view body) {
    return std::get<RequestFault>(ParseReplay(body, Original(), kDevice)).field;
  };
  EXPECT_EQ(field(R"({"ttl_s":0})"), "/ttl_s");
  EXPECT_EQ(field(R"({"ttl_s":1,"deadline":"2030-01-01T00:00:00Z"})"), "/deadline");
  EXPECT_EQ(field(R"({"if_offline":"maybe"})"), "/if_offline");
  EXPECT_EQ(field("{"), "");
  EXPECT_EQ(field("[]"), "");
  EXPECT_EQ(field("null"), "");
}

}  // namespace
}  // namespace heliograph::action
