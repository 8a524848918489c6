#include "fleet/recording.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "fleet/built_in_recording.h"
#include "json/json.h"

namespace heliograph::fleet {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr int kCells = 14;

// A fault in one row; caught where the row is known.
struct RowFault {
  std::string what;
};

std::vector<std::string_view> SplitRow(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  std::vector<std::string_view> fields;
  while (true) {
    const auto comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

// Where each column stands. A name that stands twice means the first one.
class Columns {
 public:
  explicit Columns(const std::vector<std::string_view>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) index_.emplace(names[i], i);
  }
  const std::size_t* Find(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<std::string, std::size_t> index_;
};

class Row {
 public:
  Row(const Columns& columns, std::vector<std::string_view> fields)
      : columns_(columns), fields_(std::move(fields)) {}

  std::string Text(const std::string& name) const {
    const std::size_t* at = columns_.Find(name);
    if (at == nullptr) throw RowFault{"has no column " + name};
    if (*at >= fields_.size()) throw RowFault{"ends before the column " + name};
    return std::string(fields_[*at]);
  }

  double Number(const std::string& name) const {
    const std::string text = Text(name);
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() ||
        !std::isfinite(value)) {
      throw RowFault{name + " is '" + text + "', must be a number"};
    }
    return value;
  }

  json::Value Numbers(const std::string& name, int count) const {
    json::Value values = json::Value::array();
    for (int i = 1; i <= count; ++i) values.push_back(Number(name + "." + std::to_string(i)));
    return values;
  }

  // Flags per column become the list of those that are set: "the cells bypassed".
  json::Value Set(const std::string& name, int count) const {
    json::Value values = json::Value::array();
    for (int i = 1; i <= count; ++i) {
      const std::string text = Text(name + "." + std::to_string(i));
      if (text == "1") {
        values.push_back(i);
      } else if (!text.empty() && text != "0") {
        throw RowFault{name + "." + std::to_string(i) + " is '" + text +
                       "', must be 1, 0 or empty"};
      }
    }
    return values;
  }

 private:
  const Columns& columns_;
  std::vector<std::string_view> fields_;
};

std::string OffsetOf(const std::string& time_local) {
  const std::string offset = time_local.size() < 5 ? "" : time_local.substr(time_local.size() - 5);
  const bool ok = offset.size() == 5 && (offset[0] == '+' || offset[0] == '-') &&
                  offset.find_first_not_of("0123456789", 1) == std::string::npos;
  if (!ok) throw RowFault{"time_local is '" + time_local + "', must end in an offset as +0700"};
  return offset;
}

json::Value DocumentOf(const Row& row, const std::string& time) {
  const auto dock = static_cast<int>(row.Number("pack.dock"));
  json::Value pack = {
      {"id", row.Text("pack.id")},
      {"dock", dock},
      {"amps", row.Number("pack.amps")},
      {"temp", row.Numbers("pack.temp", 3)},
      {"cell",
       {{"open", row.Set("cell.open", kCells)}, {"volts", row.Numbers("cell.volts", kCells)}}},
      {"fet", {{"open", row.Set("fet.open", 2)}, {"temp", row.Numbers("fet.temp", 2)}}}};
  json::Value sample = {{"time_local", time}, {"pack", std::move(pack)}};
  json::Value dataset = {
      {"pms_id", row.Text("pms.id")},
      {"status", {{"code", row.Text("status")}, {"temp", row.Number("pms.temp")}}},
      {"data", json::Value::array({std::move(sample)})}};
  return {{"datasets", json::Value::array({std::move(dataset)})}};
}

}  // namespace

std::string CompressedTime(base::Timestamp time, std::string_view offset) {
  const int sign = offset[0] == '-' ? -1 : 1;
  const int hours = (offset[1] - '0') * 10 + (offset[2] - '0');
  const int minutes = (offset[3] - '0') * 10 + (offset[4] - '0');
  const auto local = std::chrono::floor<std::chrono::milliseconds>(
      time + sign * (std::chrono::hours(hours) + std::chrono::minutes(minutes)));
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(local - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02d.%03d%.5s",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()), offset.data());
  return text;
}

base::Result<Recording> Recording::Parse(std::string_view csv, const std::string& name) {
  if (csv.starts_with(kByteOrderMark)) csv.remove_prefix(kByteOrderMark.size());
  std::vector<Sample> samples;
  std::optional<Columns> columns;
  constexpr std::string_view kTimeMark = "@time@";
  for (int line_number = 1; !csv.empty(); ++line_number) {
    const auto end = csv.find('\n');
    const std::string_view line = csv.substr(0, end);
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    if (line.empty() || line == "\r") continue;
    if (!columns) {
      columns.emplace(SplitRow(line));
      continue;
    }
    try {
      const Row row(*columns, SplitRow(line));
      const std::string document = json::Write(DocumentOf(row, std::string(kTimeMark)));
      const auto cut = document.find(kTimeMark);
      samples.push_back({document.substr(0, cut), document.substr(cut + kTimeMark.size()),
                         OffsetOf(row.Text("time_local"))});
    } catch (const RowFault& fault) {
      return base::MakeError(base::ErrorCode::kInvalidArgument,
                             name + ":" + std::to_string(line_number) + ": " + fault.what);
    }
  }
  if (samples.empty()) {
    return base::MakeError(base::ErrorCode::kInvalidArgument, name + " holds no sample");
  }
  return Recording(std::move(samples));
}

base::Result<Recording> Recording::Read(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  if (!in || !(text << in.rdbuf())) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "the recording '" + file + "' cannot be read or is empty");
  }
  return Parse(text.str(), file);
}

const Recording& Recording::BuiltIn() {
  static const Recording recording = [] {
    auto parsed = Parse(kBuiltInRecording, "the built-in recording");
    if (!parsed) throw std::logic_error(parsed.error().message);
    return *std::move(parsed);
  }();
  return recording;
}

std::string Recording::Document(std::size_t sample, base::Timestamp time) const {
  const Sample& one = samples_[sample % samples_.size()];
  std::string document;
  document.reserve(one.before_time.size() + one.after_time.size() + 32);
  document.append(one.before_time).append(CompressedTime(time, one.offset)).append(one.after_time);
  return document;
}

}  // namespace heliograph::fleet
