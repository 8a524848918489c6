// What the operator sees: tables for people, JSON for programs.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace heliograph::ctl {

// Where a command writes. Threads: one thread.
struct Console {
  std::ostream& out;      // the answer
  std::ostream& err;      // words about it
  bool terminal = false;  // `out` is a terminal: it may be redrawn
  bool json = false;      // the answer is JSON
};

// Control characters become \xNN: what a device says of itself must not steer the operator's
// terminal. A line end in between becomes \n. Bytes of UTF-8 stay.
std::string Printable(std::string_view text);

// Columns as wide as their widest cell; a wider cell later makes its column wider from there on.
// Threads: one thread.
class Table {
 public:
  explicit Table(std::vector<std::string> titles);

  // As many cells as titles; they are made printable here.
  void Add(std::vector<std::string> cells);

  // Writes what was added since the last time; the titles only the first time.
  void Write(std::ostream& out);

 private:
  void WriteRow(std::ostream& out, const std::vector<std::string>& cells) const;

  std::vector<std::string> titles_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
  bool titles_written_ = false;
};

}  // namespace heliograph::ctl
