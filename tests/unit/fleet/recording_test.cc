#include "fleet/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/json.h"

namespace heliograph::fleet {
namespace {

using testing::HasSubstr;

std::string Header(const std::string& without = "") {
  std::string header = "pms.id,pms.temp,time_local,pack.dock,pack.id,pack.dock,pack.amps";
  const auto add = [&](const std::string& name, int count) {
    for (int i = 1; i <= count; ++i) header += "," + name + "." + std::to_string(i);
  };
  add("pack.temp", 3);
  add("cell.volts", 14);
  add("cell.open", 14);
  add("fet.temp", 2);
  add("fet.open", 2);
  header += ",status,note";
  if (!without.empty()) header.replace(header.find(without), without.size(), "x");
  return header;
}

std::string Row(const std::string& id = "P-1", const std::string& amps = "-1.3",
                const std::string& cell_open_2 = "1") {
  return id + ",48.5,20190820T115900.000+0700,6,0269,6," + amps +
         ",33,32,31,3.1,3.2,3.3,3.4,3.5,3.6,3.7,3.8,3.9,4,4.1,4.2,4.3,4.4,0," + cell_open_2 +
         ",,,,,,,,,,,,1,30,29,0,1,0001,whatever";
}

const base::Timestamp kTime{
    std::chrono::milliseconds(1'581'321'606'032)};  // 2020-02-10T08:00:06.032Z

TEST(Recording, BecomesADatasetDocument) {
  // A byte order mark, a column given twice, and Windows line ends: as the real recordings have
  // them.
  const auto recording =
      Recording::Parse("\xef\xbb\xbf" + Header() + "\r\n" + Row() + "\r\n\r\n", "r.csv");
  ASSERT_TRUE(recording) << recording.error().message;
  ASSERT_EQ(recording->size(), 1U);
  auto document = json::Parse(recording->Document(0, kTime));
  ASSERT_TRUE(document);
  const json::Value expected = *json::Parse(R"({"datasets": [{
    "pms_id": "P-1", "status": {"code": "0001", "temp": 48.5},
    "data": [{"time_local": "20200210T150006.032+0700",
      "pack": {"id": "0269", "dock": 6, "amps": -1.3, "temp": [33.0, 32.0, 31.0],
        "cell": {"open": [2, 14], "volts": [3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7, 3.8, 3.9, 4.0, 4.1, 4.2, 4.3, 4.4]},
        "fet": {"open": [2], "temp": [30.0, 29.0]}}}]}]})");
  EXPECT_EQ(*document, expected) << recording->Document(0, kTime);
}

TEST(Recording, SamplesComeRoundAgain) {
  const auto recording = Recording::Parse(Header() + "\n" + Row("A") + "\n" + Row("B"), "r.csv");
  ASSERT_TRUE(recording);
  EXPECT_EQ(recording->Document(2, kTime), recording->Document(0, kTime));
  EXPECT_NE(recording->Document(1, kTime), recording->Document(0, kTime));
}

TEST(Recording, MistakesNameTheLineAndTheColumn) {
  struct Case {
    std::string csv;
    const char* message;
  };
  const Case cases[] = {
      {"", "r.csv holds no sample"},
      {Header(), "r.csv holds no sample"},
      {Header("pack.amps") + "\n" + Row(), "r.csv:2: has no column pack.amps"},
      {Header() + "\n" + Row() + "\n" + Row("P", "much"),
       "r.csv:3: pack.amps is 'much', must be a number"},
      {Header() + "\n" + Row("P", "nan"), "r.csv:2: pack.amps is 'nan'"},
      {Header() + "\n" + Row("P", "1", "yes"),
       "r.csv:2: cell.open.2 is 'yes', must be 1, 0 or empty"},
      {Header() + "\nP,1", "r.csv:2: ends before the column"},
  };
  for (const Case& one : cases) {
    const auto recording = Recording::Parse(one.csv, "r.csv");
    ASSERT_FALSE(recording) << one.message;
    EXPECT_THAT(recording.error().message, HasSubstr(one.message));
  }
}

TEST(Recording, TheBuiltInOneIsADay) {
  const Recording& recording = Recording::BuiltIn();
  EXPECT_EQ(recording.size(), 96U);
  for (std::size_t i = 0; i < recording.size(); ++i) {
    auto document = json::Parse(recording.Document(i, kTime));
    ASSERT_TRUE(document);
    const json::Value& pack = (*document)["datasets"][0]["data"][0]["pack"];
    EXPECT_EQ(pack["cell"]["volts"].size(), 14U);
    EXPECT_GT(pack["cell"]["volts"][0], 2.5);
  }
}

TEST(CompressedTime, KeepsTheOffset) {
  EXPECT_EQ(CompressedTime(kTime, "+0700"), "20200210T150006.032+0700");
  EXPECT_EQ(CompressedTime(kTime, "-0930"), "20200209T223006.032-0930");
  EXPECT_EQ(CompressedTime(kTime, "+0000"), "20200210T080006.032+0000");
}

}  // namespace
}  // namespace heliograph::fleet
