#include "webhooks/log_window.h"

#include <algorithm>

namespace heliograph::webhooks {
namespace {

constexpr events::EventReader::Most kMostNews{1000, 4 * 1024 * 1024};  // of one look
constexpr events::EventReader::Most kMostOfPage{500, 1024 * 1024};
constexpr std::size_t kMostKept = 4000;

}  // namespace

const std::string& LogEntry::text() {
  if (text_.empty()) text_ = events::WriteEvent(change_);
  return text_;
}

void LogWindow::Close() {
  begin_.reset();
  entries_.clear();
}

base::Result<bool> LogWindow::Read(const events::Wanted& wanted) {
  // What was passed over is not there for who wants it now.
  if (!wanted_.Includes(wanted)) Close();
  wanted_ = wanted;
  if (!begin_) {
    const auto bounds = reader_.Look();
    if (!bounds) return bounds.error();
    begin_ = end_ = bounds->end;
    return false;
  }
  auto page = reader_.Read(end_, wanted, kMostNews);
  if (!page) return std::move(page).error();
  for (events::Change& change : page->changes) entries_.emplace_back(std::move(change));
  end_ = page->up_to;
  while (entries_.size() > kMostKept) {
    begin_ = entries_.front().place();
    entries_.pop_front();
  }
  return page->more;
}

std::deque<LogEntry>::iterator LogWindow::After(const Place& place) {
  return std::upper_bound(
      entries_.begin(), entries_.end(), place,
      [](const Place& one, const LogEntry& other) { return one < other.place(); });
}

base::Result<LogPage> LogWindow::ReadPage(const Place& place, const events::Wanted& wanted) {
  auto read = reader_.Read(place, wanted, kMostOfPage);
  if (!read) return std::move(read).error();
  // Only after the page: what is forgotten meanwhile may be missing in it.
  const auto bounds = reader_.Look();
  if (!bounds) return bounds.error();
  LogPage page;
  page.more = read->more;
  page.end = read->up_to;
  if (place < bounds->forgotten) {
    page.missing_up_to = bounds->forgotten;
    page.end = std::max(page.end, bounds->forgotten);
  } else if (place > bounds->end) {
    // A place that is not there yet is another database's.
    page.missing_up_to = page.end = bounds->end;
  }
  for (events::Change& change : read->changes) {
    if (page.missing_up_to && change.place <= *page.missing_up_to) continue;
    page.entries.emplace_back(std::move(change));
  }
  return page;
}

}  // namespace heliograph::webhooks
