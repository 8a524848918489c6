#include "ctl/watch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "ctl/fields.h"
#include "ctl/send.h"

namespace heliograph::ctl {
namespace {

using base::Result;

constexpr std::int64_t kBar = 30;               // columns
constexpr double kPaceOver = 5;                 // seconds
constexpr std::string_view kLine = "\r\x1b[K";  // an empty line of the terminal

// How many ended in a second, over the last few.
class Pace {
 public:
  void Add(base::SteadyTime now, std::int64_t ended) {
    seen_.emplace_back(now, ended);
    while (seen_.size() > 2 && Seconds(seen_.front().first, now) > kPaceOver) {
      seen_.erase(seen_.begin());
    }
  }
  double per_s() const {
    if (seen_.size() < 2) return -1;
    const auto& [first, ended_first] = seen_.front();
    const auto& [last, ended_last] = seen_.back();
    return static_cast<double>(ended_last - ended_first) / std::max(Seconds(first, last), 0.001);
  }

 private:
  static double Seconds(base::SteadyTime from, base::SteadyTime to) {
    return std::chrono::duration<double>(to - from).count();
  }

  std::vector<std::pair<base::SteadyTime, std::int64_t>> seen_;
};

}  // namespace

Progress ProgressOf(const json::Value& action) {
  Progress progress;
  const std::string status = Field(action, "status");
  if (status != "-" && status != "running" && status != "ended") progress.status = status;
  const json::Value pace = action.is_object() ? action.value("pace", json::Value()) : json::Value();
  if (pace.is_object()) {
    const auto per_s = pace.find("ended_per_s");
    if (per_s != pace.end() && per_s->is_number()) progress.per_s = per_s->get<double>();
  }
  const auto totals = action.is_object() ? action.find("totals") : action.end();
  if (totals == action.end() || !totals->is_object()) return progress;
  for (const auto& [word, count] : totals->items()) {
    if (!count.is_number_integer()) continue;
    progress.targets += count.get<std::int64_t>();
    if (IsFinal(word)) progress.ended += count.get<std::int64_t>();
    if (!progress.counts.empty()) progress.counts += ", ";
    progress.counts += Printable(word) + " " + std::to_string(count.get<std::int64_t>());
  }
  return progress;
}

std::string ProgressLine(const Progress& progress, double per_s) {
  const std::int64_t targets = std::max<std::int64_t>(progress.targets, 1);
  const std::int64_t filled = progress.ended * kBar / targets;
  std::string line = "[" + std::string(static_cast<std::size_t>(filled), '#') +
                     std::string(static_cast<std::size_t>(kBar - filled), '-') + "]";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), " %3d %%  ",
                static_cast<int>(progress.ended * 100 / targets));
  line += text.data();
  if (!progress.status.empty()) line += Printable(progress.status) + "  ";
  line += std::to_string(progress.ended) + " of " + std::to_string(progress.targets) + " ended";
  if (per_s < 0) per_s = progress.per_s;
  if (per_s >= 0) {
    std::snprintf(text.data(), text.size(), ", %.*f/s", per_s < 10 ? 1 : 0, per_s);
    line += text.data();
  }
  return line + "  " + progress.counts;
}

Result<ExitCode> WatchAction(const WatchOptions& options, const Console& console) {
  auto api = Api::Open(options.api);
  if (!api) return std::move(api).error();
  const base::SystemClock clock;
  const bool redraws = console.terminal && !console.json;
  Pace pace;
  std::string last;
  while (true) {
    const auto action = api->Get({"v1", "actions", options.action_id});
    if (!action && !base::IsRetriable(action.error().code)) return action.error();
    if (action) {
      const Progress progress = ProgressOf(*action);
      pace.Add(clock.SteadyNow(), progress.ended);
      const std::string line = ProgressLine(progress, pace.per_s());
      if (redraws) {
        console.out << kLine << line << std::flush;
      } else if (progress.status + progress.counts != last) {
        console.err << line << '\n';
      }
      last = progress.status + progress.counts;
      if (HasEnded(*action)) {
        if (redraws) console.out << '\n';
        WriteAction(*action, console);
        return JudgeAction(*action, true);
      }
    } else if (redraws) {
      console.out << kLine << Printable(action.error().message) << std::flush;
      last.clear();
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(options.interval_s));
  }
}

}  // namespace heliograph::ctl
