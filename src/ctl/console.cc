#include "ctl/console.h"

#include <algorithm>

namespace heliograph::ctl {
namespace {

// Code points, which is what most terminals give one column each.
std::size_t Columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::string Printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string printable;
  printable.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, in UTF-8 C2 80 to C2 9F, are control characters too: C2 9B begins a
    // sequence as ESC [ does.
    const bool upper_control = byte == 0xc2 && i + 1 < text.size() &&
                               static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                               static_cast<unsigned char>(text[i + 1]) <= 0x9f;
    if (byte == '\n') {
      printable += "\\n";
    } else if (byte < 0x20 || byte == 0x7f || upper_control) {
      const unsigned char shown = upper_control ? static_cast<unsigned char>(text[++i]) : byte;
      printable += "\\x";
      printable += kHex[shown >> 4];
      printable += kHex[shown & 0x0f];
    } else {
      printable += text[i];
    }
  }
  return printable;
}

Table::Table(std::vector<std::string> titles) : titles_(std::move(titles)) {
  for (const std::string& title : titles_) widths_.push_back(Columns(title));
}

void Table::Add(std::vector<std::string> cells) {
  cells.resize(titles_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = Printable(cells[i]);
    widths_[i] = std::max(widths_[i], Columns(cells[i]));
  }
  rows_.push_back(std::move(cells));
}

void Table::Write(std::ostream& out) {
  if (!titles_written_) WriteRow(out, titles_);
  titles_written_ = true;
  for (const auto& row : rows_) WriteRow(out, row);
  rows_.clear();
}

void Table::WriteRow(std::ostream& out, const std::vector<std::string>& cells) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    line.append(widths_[i] - Columns(cells[i]) + 2, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out << line << '\n';
}

}  // namespace heliograph::ctl
