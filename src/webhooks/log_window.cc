#include "webhooks/log_window.h"

#include <algorithm>

namespace heliograph::webhooks {
namespace {

constexpr std::int64_t kMostNews = 1000;  // of one look
constexpr std::int64_t kMostOfPage = 500;
constexpr std::size_t kMostKept = 4000;

}  // namespace

const std::string& LogEntry::text() {
  if (text_.empty()) text_ = events::WriteChangeEvent(change_);
  return text_;
}

void LogWindow::Close() {
  begin_.reset();
  entries_.clear();
}

base::Result<bool> LogWindow::Read() {
  if (!begin_) {
    const auto end = log_.End();
    if (!end) return end.error();
    begin_ = end_ = *end;
    return false;
  }
  auto changes = log_.Read(end_, kMostNews);
  if (!changes) return std::move(changes).error();
  const bool more = std::cmp_equal(changes->size(), kMostNews);
  for (postgres::TargetChange& change : *changes) {
    end_ = change.place;
    entries_.emplace_back(std::move(change));
  }
  while (entries_.size() > kMostKept) {
    begin_ = entries_.front().place();
    entries_.pop_front();
  }
  return more;
}

std::deque<LogEntry>::iterator LogWindow::After(const Place& place) {
  return std::upper_bound(
      entries_.begin(), entries_.end(), place,
      [](const Place& one, const LogEntry& other) { return one < other.place(); });
}

base::Result<LogPage> LogWindow::ReadPage(const Place& place) {
  auto changes = log_.Read(place, kMostOfPage);
  if (!changes) return std::move(changes).error();
  // Only after the page: what is forgotten meanwhile may be missing in it.
  const auto forgotten = log_.Forgotten();
  if (!forgotten) return forgotten.error();
  LogPage page;
  page.more = std::cmp_equal(changes->size(), kMostOfPage);
  page.end = place;
  if (place < *forgotten) {
    page.missing_up_to = *forgotten;
    page.end = *forgotten;
  } else if (changes->empty()) {
    const auto end = log_.End();
    if (!end) return end.error();
    // A place that is not there yet is another database's.
    if (place > *end) page.missing_up_to = page.end = *end;
  }
  for (postgres::TargetChange& change : *changes) {
    if (change.place <= page.end) continue;
    page.end = change.place;
    page.entries.emplace_back(std::move(change));
  }
  // What the window has read was there when this page was read.
  if (!page.more && begin_) page.end = std::max(page.end, end_);
  return page;
}

}  // namespace heliograph::webhooks
