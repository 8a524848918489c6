#include "recorder/event_outbox.h"

#include <algorithm>
#include <string_view>

#include "postgres/connection_log.h"

namespace heliograph::recorder {

EventOutbox::EventOutbox(Publisher& publisher, std::string topic, metrics::Registry& metrics)
    : publisher_(publisher),
      topic_(std::move(topic)),
      published_(
          metrics.AddCounter("heliograph_recorder_events_total",
                             "Events handed to Kafka, also those that are handed over again.")),
      rows_(metrics.AddGauge(
          "heliograph_recorder_outbox_rows",
          "Rows of events that Kafka has not confirmed, or of which that is not noted yet.")) {}

void EventOutbox::Send(postgres::OutboxRow row) {
  const postgres::OutboxPlace place{row.partition, row.generation, row.first_offset};
  const auto content = std::make_shared<const std::string>(std::move(row.events));
  const auto ticket = std::make_shared<Ticket>();
  std::string_view rest = *content;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto event = postgres::ReadConnectionEvent(line);
    if (!event) continue;
    publisher_.Send({topic_, event->client_id, event->json, {}, content, ticket});
    published_.Add();
  }
  waiting_[row.partition].push_back({place, ticket, content->size()});
}

void EventOutbox::Publish(std::vector<postgres::OutboxRow> rows) {
  for (postgres::OutboxRow& row : rows) {
    Send(std::move(row));
    rows_.Add(1);
  }
  publisher_.Pump();
}

void EventOutbox::Take(std::int32_t partition, std::vector<postgres::OutboxRow> left) {
  GiveUp(partition);
  waiting_[partition];
  Publish(std::move(left));
}

void EventOutbox::GiveUp(std::int32_t partition) {
  const auto at = waiting_.find(partition);
  if (at == waiting_.end()) return;
  rows_.Add(-static_cast<double>(at->second.size()));
  waiting_.erase(at);
}

std::vector<postgres::OutboxPlace> EventOutbox::Confirmed() const {
  std::vector<postgres::OutboxPlace> places;
  for (const auto& [partition, rows] : waiting_) {
    const postgres::OutboxPlace* last = nullptr;
    for (const Waiting& row : rows) {
      if (row.ticket->open > 0) break;
      last = &row.place;
    }
    if (last != nullptr) places.push_back(*last);
  }
  return places;
}

void EventOutbox::Noted(const std::vector<postgres::OutboxPlace>& places) {
  for (const postgres::OutboxPlace& place : places) {
    const auto at = waiting_.find(place.partition);
    if (at == waiting_.end()) continue;
    std::deque<Waiting>& rows = at->second;
    while (!rows.empty() && rows.front().ticket->open == 0) {
      const bool last = rows.front().place.generation == place.generation &&
                        rows.front().place.first_offset == place.first_offset;
      rows.pop_front();
      rows_.Add(-1);
      if (last) break;
    }
  }
}

std::size_t EventOutbox::bytes() const {
  std::size_t bytes = 0;
  for (const auto& [partition, rows] : waiting_) {
    for (const Waiting& row : rows) bytes += row.ticket->open > 0 ? row.bytes : 0;
  }
  return bytes;
}

}  // namespace heliograph::recorder
