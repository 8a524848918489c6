#include "dispatch/broker_session.h"

#include <gtest/gtest.h>

#include "base/startup_error.h"
#include "device/ids.h"

namespace heliograph::dispatch {
namespace {

TEST(NewClientId, IsAServicesAndNewEachTime) {
  const std::string id = NewClientId();
  EXPECT_EQ(id.front(), '@');
  EXPECT_TRUE(device::IsClientId(id.substr(1))) << id;
  EXPECT_NE(id, NewClientId()) << "replicas on one host must not throw each other out";
}

TEST(BrokerSession, TakesNoDevicesName) {
  base::Health health;
  for (const char* bad : {"api", "@", "@a/b", "@a b", "device-1"}) {
    BrokerConfig config;
    config.client_id = bad;
    EXPECT_THROW(BrokerSession(config, health), base::StartupError) << bad;
  }
}

}  // namespace
}  // namespace heliograph::dispatch
