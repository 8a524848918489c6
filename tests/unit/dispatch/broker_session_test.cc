#include "dispatch/broker_session.h"

#include <gtest/gtest.h>

#include "base/startup_error.h"
#include "device/ids.h"

namespace heliograph::dispatch {
namespace {

const std::string kTooLong = "@" + std::string(101, 'a');

TEST(NameOf, IsAServicesName) {
  const std::string name = NameOf({});
  EXPECT_EQ(name.front(), '@');
  EXPECT_TRUE(device::IsClientId(name.substr(1))) << name;
  BrokerConfig config;
  config.client_id = "@api-1";
  EXPECT_EQ(NameOf(config), "@api-1");
}

TEST(NameOf, IsNoDevicesName) {
  for (const char* bad : {"api", "@", "@a/b", "@a b", "device-1", kTooLong.c_str()}) {
    BrokerConfig config;
    config.client_id = bad;
    EXPECT_THROW(NameOf(config), base::StartupError) << bad;
  }
}

}  // namespace
}  // namespace heliograph::dispatch
