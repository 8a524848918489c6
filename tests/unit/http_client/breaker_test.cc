#include "http_client/breaker.h"

#include <gtest/gtest.h>

#include <utility>

namespace heliograph::http_client {
namespace {

using std::chrono::seconds;

constexpr base::SteadyTime kBegin{std::chrono::hours(1)};

TEST(Breaker, OpensAfterFailuresInARow) {
  Breaker breaker(2, seconds(5));
  EXPECT_TRUE(breaker.MayTry(kBegin));
  breaker.Failed(kBegin);
  EXPECT_TRUE(breaker.MayTry(kBegin));
  breaker.Succeeded();
  breaker.Failed(kBegin);
  EXPECT_TRUE(breaker.MayTry(kBegin)) << "not in a row";
  breaker.Failed(kBegin);
  EXPECT_TRUE(breaker.is_open());
  EXPECT_FALSE(breaker.MayTry(kBegin + seconds(4)));
}

TEST(Breaker, LetsOneTryAtATime) {
  Breaker breaker(1, seconds(5));
  breaker.Failed(kBegin);
  EXPECT_TRUE(breaker.MayTry(kBegin + seconds(5)));
  EXPECT_FALSE(breaker.MayTry(kBegin + seconds(5))) << "one tries already";
  breaker.Failed(kBegin + seconds(6));
  EXPECT_FALSE(breaker.MayTry(kBegin + seconds(10)));
  EXPECT_TRUE(breaker.MayTry(kBegin + seconds(11)));
  EXPECT_TRUE(breaker.MayTry(kBegin + seconds(16))) << "the one that tries does not come back";
  breaker.Succeeded();
  EXPECT_FALSE(breaker.is_open());
  EXPECT_TRUE(breaker.MayTry(kBegin + seconds(16)));
  EXPECT_TRUE(breaker.MayTry(kBegin + seconds(16)));
}

TEST(IsAboutTheRequest, IsOneThatOthersNeedNotFear) {
  for (const int status : {400, 404, 409, 413, 422})
    EXPECT_TRUE(IsAboutTheRequest(status)) << status;
  const std::pair<int, const char*> cases[] = {
      {200, "an answer"},      {302, "a proxy"},    {401, "our token"},
      {403, "we may not ask"}, {408, "it is slow"}, {429, "it has enough of us"},
      {500, "it is broken"},   {503, "it is away"},
  };
  for (const auto& [status, why] : cases) EXPECT_FALSE(IsAboutTheRequest(status)) << why;
}

}  // namespace
}  // namespace heliograph::http_client
