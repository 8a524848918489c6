// The newest part of the logs, read once for all webhooks that are there; who is further behind
// reads pages of his own.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "events/event_filter.h"
#include "events/event_reader.h"

namespace heliograph::webhooks {

using Place = events::EventPlace;

// Threads: one thread.
class LogEntry {
 public:
  explicit LogEntry(events::Change change) : change_(std::move(change)) {}

  const Place& place() const { return change_.place; }
  base::Timestamp at() const { return change_.at(); }
  bool IsWantedBy(const events::EventFilter& filter) const { return change_.IsWantedBy(filter); }
  std::string id() const { return events::WritePlace(change_.place); }
  const std::string& text();  // written when it is first wanted

 private:
  events::Change change_;
  std::string text_;
};

// What a webhook finds that is not in the window.
struct LogPage {
  std::vector<LogEntry> entries;
  bool more = false;  // there is more to read at once
  // Up to where the logs were forgotten, or before where they begin anew: events may be missing.
  std::optional<Place> missing_up_to;
  Place end;  // everything up to here is in the page
};

// Threads: one thread.
class LogWindow {
 public:
  explicit LogWindow(events::EventReader& reader) : reader_(reader) {}

  // Nobody needs it any more.
  void Close();
  // Reads what is new of what is wanted. Whether there may be more at once. Errors as the
  // database's.
  base::Result<bool> Read(const events::Wanted& wanted);
  // Whether all that is wanted after `place` is in the window, as far as it was read.
  bool Covers(const Place& place, const events::Wanted& wanted) const {
    return begin_ && place >= *begin_ && wanted_.Includes(wanted);
  }
  // The entries after `place`, which it covers.
  std::deque<LogEntry>::iterator After(const Place& place);
  std::deque<LogEntry>::iterator end() { return entries_.end(); }
  const Place& last() const { return end_; }  // everything up to here was read

  // A page after `place`, from the database. Errors as its.
  base::Result<LogPage> ReadPage(const Place& place, const events::Wanted& wanted);

 private:
  events::EventReader& reader_;
  events::Wanted wanted_;       // what is in the window
  std::optional<Place> begin_;  // entries_ are all after it
  Place end_;
  std::deque<LogEntry> entries_;
};

}  // namespace heliograph::webhooks
