#include "fleet/numbered.h"

#include <gtest/gtest.h>

#include "device/control_message.h"
#include "device/data_message.h"

namespace heliograph::fleet {
namespace {

const base::Timestamp kSent{std::chrono::milliseconds(1'700'000'000'123)};

TEST(Crc32, IsTheOneOfZlib) {
  EXPECT_EQ(Crc32(""), 0U);
  EXPECT_EQ(Crc32("123456789"), 0xcbf43926U) << "the check value of CRC-32/ISO-HDLC";
  EXPECT_EQ(Crc32("The quick brown fox jumps over the lazy dog"), 0x414fa339U);
}

TEST(NumberedMessage, IsReadBackWhateverItsSize) {
  for (const auto channel : {device::Channel::kControl, device::Channel::kData}) {
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{250}, std::size_t{1000}, std::size_t{70'001}}) {
      const Number number{"run \"1\"", "solar-1", channel, 18'446'744'073'709'551'615ULL};
      const std::string message = NumberedMessage(number, kSent, bytes);
      EXPECT_EQ(ReadNumber(message), number) << message.substr(0, 300);
      EXPECT_EQ(NumberedMessage(number, kSent, bytes), message)
          << "what is sent again is what was sent";
      if (bytes > 0) {
        EXPECT_EQ(message.size(), bytes) << message.substr(0, 300);
      }
    }
  }
}

TEST(NumberedMessage, FitsIn200Bytes) {
  const Number number{"01234567", "solar-1000", device::Channel::kData, 1'000'000};
  EXPECT_EQ(NumberedMessage(number, kSent, 200).size(), 200U);
}

TEST(NumberedMessage, OneChangedBitIsSeen) {
  const std::string message =
      NumberedMessage({"r", "solar-1", device::Channel::kData, 7}, kSent, 400);
  for (std::size_t i = 0; i < message.size(); ++i) {
    std::string changed = message;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(ReadNumber(changed), std::nullopt) << i;
  }
  EXPECT_EQ(ReadNumber(message.substr(0, message.size() - 1)), std::nullopt);
  EXPECT_EQ(ReadNumber("{}"), std::nullopt);
}

TEST(NumberedMessage, IsAnOrdinaryMessageForThePlatform) {
  const auto control = device::ParseControlMessage(
      NumberedMessage({"r", "solar-1", device::Channel::kControl, 7}, kSent, 300));
  ASSERT_TRUE(std::holds_alternative<device::ControlMessage>(control));
  EXPECT_TRUE(
      std::holds_alternative<device::DeviceEvent>(std::get<device::ControlMessage>(control).body));
  const std::string data = NumberedMessage({"r", "solar-1", device::Channel::kData, 7}, kSent, 300);
  EXPECT_TRUE(std::holds_alternative<device::DataMessage>(device::ParseDataMessage(data)));
  EXPECT_FALSE(device::MayBeAnswer(data)) << "it must not cost the recorder a parse";
}

}  // namespace
}  // namespace heliograph::fleet
