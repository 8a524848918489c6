#include "ctl/console.h"

#include <gtest/gtest.h>

#include <sstream>

namespace heliograph::ctl {
namespace {

struct Shown {
  std::string given;
  std::string shown;
  const char* why;
};

TEST(Printable, NothingADeviceSaysSteersTheTerminal) {
  for (const Shown& row : std::initializer_list<Shown>{
           {"solar-1", "solar-1", "ordinary text"},
           {"Süd 日", "Süd 日", "UTF-8 stays"},
           {"\x1b[2J", "\\x1b[2J", "ESC would clear the screen"},
           {"a\nb", "a\\nb", "a line end would forge a row"},
           {"a\rb\tc", "a\\x0db\\x09c", "others by their number"},
           {std::string("a\0b", 3), "a\\x00b", "NUL"},
           {"\x7f", "\\x7f", "DEL"},
           {"\xc2\x9b"
            "2J",
            "\\x9b2J", "U+009B is ESC [ in one character"},
           {"\xc2\xa0", "\xc2\xa0", "U+00A0 is not a control character"},
           {"\xc2", "\xc2", "a cut character at the end"},
       }) {
    EXPECT_EQ(Printable(row.given), row.shown) << row.why;
  }
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"ID", "STATE"});
  table.Add({"solar-1", "online"});
  table.Add({"ü", "offline"});
  std::ostringstream out;
  table.Write(out);
  EXPECT_EQ(out.str(),
            "ID       STATE\n"
            "solar-1  online\n"
            "ü        offline\n")
      << "counted in characters, not bytes";
}

TEST(Table, WritesTitlesOnceAndEachRowOnce) {
  Table table({"A"});
  std::ostringstream out;
  table.Add({"1"});
  table.Write(out);
  table.Add({"2"});
  table.Write(out);
  EXPECT_EQ(out.str(), "A\n1\n2\n");
}

TEST(Table, MissingCellsAreEmpty) {
  Table table({"A", "B"});
  table.Add({"1"});
  std::ostringstream out;
  table.Write(out);
  EXPECT_EQ(out.str(), "A  B\n1\n");
}

}  // namespace
}  // namespace heliograph::ctl
