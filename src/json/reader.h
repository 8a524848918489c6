// Reads JSON (RFC 8259) and tells a handler what stands there, in the order of the text. The JSON
// library's own reader goes character by character and costs three times as much. For json.cc only.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heliograph::json {

enum class ReadOutcome {
  kComplete,
  kSyntax,   // or not UTF-8
  kRange,    // a number that no finite double holds
  kRefused,  // the handler answered false
};

// Handler: bool OnNull(), OnBoolean(bool), OnInteger(int64), OnUnsigned(uint64), OnDouble(double),
// OnString(string&&), OnName(string&&), OnOpen(bool is_object), OnClose(); false ends the reading.
// A whole number that is not negative is unsigned; one that 64 bits do not hold is a double.
// No recursion. Threads: one thread.
template <class Handler>
class Reader {
 public:
  Reader(std::string_view text, Handler& handler)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), handler_(handler) {}

  // One value and nothing after it.
  ReadOutcome Read() {
    if (text_left().starts_with("\xef\xbb\xbf")) at_ += 3;  // a byte order mark may be passed over
    if (!ReadValues()) return outcome_;
    SkipSpace();
    return at_ == end_ ? ReadOutcome::kComplete : ReadOutcome::kSyntax;
  }

  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }  // of the fault

 private:
  std::string_view text_left() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  bool Fail(ReadOutcome outcome) {
    outcome_ = outcome;
    return false;
  }
  bool Told(bool accepted) { return accepted || Fail(ReadOutcome::kRefused); }

  void SkipSpace() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  // After white space; false where there is another or none.
  bool Take(char wanted) {
    SkipSpace();
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }

  bool ReadValues() {
    if (!ReadValue()) return false;
    while (!is_object_.empty()) {
      if (Take(is_object_.back() ? '}' : ']')) {
        is_object_.pop_back();
        is_first_ = false;
        if (!Told(handler_.OnClose())) return false;
        continue;
      }
      if (!is_first_ && !Take(',')) return Fail(ReadOutcome::kSyntax);
      if (is_object_.back() && !ReadName()) return false;
      if (!ReadValue()) return false;
    }
    return true;
  }

  // A value, or the beginning of one that holds others.
  bool ReadValue() {
    SkipSpace();
    is_first_ = false;
    if (at_ == end_) return Fail(ReadOutcome::kSyntax);
    switch (*at_) {
      case '{':
      case '[':
        is_first_ = true;
        is_object_.push_back(*at_++ == '{');
        return Told(handler_.OnOpen(is_object_.back()));
      case '"': {
        std::string text;
        return ReadString(text) && Told(handler_.OnString(std::move(text)));
      }
      case 't':
        return ReadWord("true") && Told(handler_.OnBoolean(true));
      case 'f':
        return ReadWord("false") && Told(handler_.OnBoolean(false));
      case 'n':
        return ReadWord("null") && Told(handler_.OnNull());
      default:
        return ReadNumber();
    }
  }

  bool ReadName() {
    SkipSpace();
    std::string name;
    if (at_ == end_ || *at_ != '"') return Fail(ReadOutcome::kSyntax);
    if (!ReadString(name) || !Told(handler_.OnName(std::move(name)))) return false;
    return Take(':') || Fail(ReadOutcome::kSyntax);
  }

  bool ReadWord(std::string_view word) {
    if (!text_left().starts_with(word)) return Fail(ReadOutcome::kSyntax);
    at_ += word.size();
    return true;
  }

  bool SkipDigits() {
    const char* const first = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != first;
  }

  bool ReadNumber() {
    const char* const first = at_;
    if (*at_ == '-') ++at_;
    const bool zero = at_ != end_ && *at_ == '0';
    if (!SkipDigits() || (zero && at_ != first + 1 + (*first == '-' ? 1 : 0))) {
      return Fail(ReadOutcome::kSyntax);
    }
    bool whole = true;
    if (at_ != end_ && *at_ == '.') {
      whole = false;
      ++at_;
      if (!SkipDigits()) return Fail(ReadOutcome::kSyntax);
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      whole = false;
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!SkipDigits()) return Fail(ReadOutcome::kSyntax);
    }
    return TellNumber(first, whole);
  }

  bool TellNumber(const char* first, bool whole) {
    if (whole && *first == '-') {
      std::int64_t number = 0;
      if (std::from_chars(first, at_, number).ec == std::errc{}) {
        return Told(handler_.OnInteger(number));
      }
    } else if (whole) {
      std::uint64_t number = 0;
      if (std::from_chars(first, at_, number).ec == std::errc{}) {
        return Told(handler_.OnUnsigned(number));
      }
    }
    double number = 0;
    if (std::from_chars(first, at_, number).ec != std::errc{}) {
      // Too large or too small, which from_chars does not tell apart.
      number = std::strtod(std::string(first, at_).c_str(), nullptr);
    }
    if (!std::isfinite(number)) return Fail(ReadOutcome::kRange);
    return Told(handler_.OnDouble(number));
  }

  // From its quote on.
  bool ReadString(std::string& out) {
    const char* run = ++at_;  // what is taken as it stands
    while (at_ != end_) {
      const auto byte = static_cast<unsigned char>(*at_);
      if (kPlain[byte]) {
        ++at_;
      } else if (byte == '"') {
        out.append(run, at_++);
        return true;
      } else if (byte == '\\') {
        out.append(run, at_++);
        if (!ReadEscape(out)) return false;
        run = at_;
      } else if (!SkipUtf8()) {
        return Fail(ReadOutcome::kSyntax);
      }
    }
    return Fail(ReadOutcome::kSyntax);
  }

  bool ReadEscape(std::string& out) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (at_ == end_) return Fail(ReadOutcome::kSyntax);
    const char escape = *at_++;
    if (const auto place = kEscapes.find(escape); place != std::string_view::npos) {
      out += kMeant[place];
      return true;
    }
    std::uint32_t point = 0;
    if (escape != 'u' || !ReadHex(point)) return Fail(ReadOutcome::kSyntax);
    if (point >= 0xdc00 && point < 0xe000) return Fail(ReadOutcome::kSyntax);
    if (point >= 0xd800 && point < 0xdc00) {
      std::uint32_t low = 0;
      if (!ReadWord("\\u") || !ReadHex(low) || low < 0xdc00 || low > 0xdfff) {
        return Fail(ReadOutcome::kSyntax);
      }
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    AppendUtf8(out, point);
    return true;
  }

  bool ReadHex(std::uint32_t& out) {
    if (end_ - at_ < 4) return false;
    const auto read = std::from_chars(at_, at_ + 4, out, 16);
    if (read.ec != std::errc{} || read.ptr != at_ + 4) return false;
    at_ += 4;
    return true;
  }

  static void AppendUtf8(std::string& out, std::uint32_t point) {
    const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) return add(point);
    if (point < 0x800) {
      add(0xc0 | point >> 6);
    } else {
      if (point < 0x10000) {
        add(0xe0 | point >> 12);
      } else {
        add(0xf0 | point >> 18);
        add(0x80 | (point >> 12 & 0x3f));
      }
      add(0x80 | (point >> 6 & 0x3f));
    }
    add(0x80 | (point & 0x3f));
  }

  // One character of more than one byte, by table 3-7 of the Unicode Standard.
  bool SkipUtf8() {
    const auto byte = [this](std::ptrdiff_t i) { return static_cast<unsigned char>(at_[i]); };
    const unsigned char lead = byte(0);
    const std::ptrdiff_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || end_ - at_ <= more) return false;
    const unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(1) < least || byte(1) > most) return false;
    for (std::ptrdiff_t i = 2; i <= more; ++i) {
      if (byte(i) < 0x80 || byte(i) > 0xbf) return false;
    }
    at_ += more + 1;
    return true;
  }

  // Which bytes of a string stand for themselves.
  static constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
    return plain;
  }();

  const char* const begin_;
  const char* at_;
  const char* const end_;
  Handler& handler_;
  std::vector<bool> is_object_;  // of each open array and object
  bool is_first_ = false;        // nothing stands yet in the one that was opened last
  ReadOutcome outcome_ = ReadOutcome::kSyntax;
};

}  // namespace heliograph::json
