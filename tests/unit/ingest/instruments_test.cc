#include "ingest/instruments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heliograph::ingest {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Instruments, TheBrokersCountIsNotThereBeforeItIsKnown) {
  metrics::Registry registry;
  Instruments instruments(registry);
  EXPECT_THAT(registry.Exposition(), Not(HasSubstr("broker_dropped_messages")))
      << "a 0 would say that all is well";
  instruments.SetBrokerDropped(0);
  EXPECT_THAT(registry.Exposition(), HasSubstr("heliograph_ingest_broker_dropped_messages 0"));
  instruments.SetBrokerDropped(7);
  EXPECT_THAT(registry.Exposition(), HasSubstr("heliograph_ingest_broker_dropped_messages 7"));
}

TEST(Instruments, DeadLettersAreCountedFromZero) {
  metrics::Registry registry;
  Instruments instruments(registry);
  const std::string bad_topic = "heliograph_ingest_dead_letters_total{reason=\"bad_topic\"} ";
  EXPECT_THAT(registry.Exposition(), HasSubstr(bad_topic + "0")) << "or the first is no growth";
  instruments.CountDeadLetter(device::DeadLetterReason::kBadTopic);
  EXPECT_THAT(registry.Exposition(), HasSubstr(bad_topic + "1"));
}

}  // namespace
}  // namespace heliograph::ingest
