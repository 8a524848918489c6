#include "events/event_reader.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "base/rfc3339.h"

namespace heliograph::events {
namespace {

constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();

metrics::Counter ReadsOf(metrics::Registry& metrics, const std::string& log) {
  return metrics.AddCounter(
      "heliograph_api_event_reads_total",
      "How often a log of events was read, each time for all streams that stand there.",
      {{"log", log}});
}

}  // namespace

EventType Change::type() const {
  return std::visit([](const auto& one) { return TypeOf(one); }, what);
}

base::Timestamp Change::at() const {
  if (const auto* target = std::get_if<postgres::TargetChange>(&what)) return target->at;
  // Before `time` an event has nothing in which this could stand.
  constexpr std::string_view kTime = R"("time":")";
  const std::string& json = std::get<postgres::ConnectionChange>(what).json;
  const std::size_t begin = std::min(json.find(kTime), json.size() - kTime.size()) + kTime.size();
  const std::string_view text(json.data() + begin,
                              std::min(json.find('"', begin), json.size()) - begin);
  const auto time = base::ParseRfc3339(text);
  return time ? *time : base::Timestamp();
}

const std::optional<device::TenantId>& Change::tenant() const {
  return std::visit(
      [](const auto& one) -> const std::optional<device::TenantId>& { return one.tenant; }, what);
}

bool Change::IsWantedBy(const EventFilter& filter) const {
  return std::visit([&](const auto& one) { return filter.Wants(one); }, what);
}

Wanted Wanted::Of(const EventFilter& filter) {
  return {filter.WantsActions(), filter.WantsConnections()};
}

void Wanted::Add(const Wanted& other) {
  actions = actions || other.actions;
  connections = connections || other.connections;
}

std::string WriteEvent(const Change& change) {
  if (const auto* target = std::get_if<postgres::TargetChange>(&change.what)) {
    return WriteChangeEvent(*target);
  }
  return std::get<postgres::ConnectionChange>(change.what).json;
}

EventReader::EventReader(postgres::TargetLog& targets, postgres::ConnectionLog& connections,
                         metrics::Registry& metrics)
    : targets_(targets),
      connections_(connections),
      target_reads_(ReadsOf(metrics, "actions")),
      connection_reads_(ReadsOf(metrics, "connections")) {}

base::Result<EventReader::Bounds> EventReader::Look() {
  const auto bounds = connections_.Bounds();
  if (!bounds) return bounds.error();
  const EventPlace connections{bounds->connections_forgotten, EventPlace::Log::kConnections, kLast,
                               kLast};
  const bool some = bounds->connections_forgotten > 0;
  const EventPlace targets = EventPlace::Of(bounds->targets_forgotten);
  return Bounds{EventPlace::Before(bounds->end), some ? std::max(targets, connections) : targets};
}

base::Result<Page> EventReader::Read(const EventPlace& after, const Wanted& wanted,
                                     const Most& most) {
  // Both up to the same transaction, or what one reads later could come before the other's.
  const auto bounds = connections_.Bounds();
  if (!bounds) return bounds.error();
  Page page;
  page.after = after;
  page.up_to = std::max(after, EventPlace::Before(bounds->end));
  if (wanted.actions) {
    target_reads_.Add();
    auto read = targets_.Read(after.InActions(), most.targets, bounds->end);
    if (!read) return std::move(read).error();
    if (std::cmp_equal(read->size(), most.targets)) {
      page.more = true;
      page.up_to = EventPlace::Of(read->back().place);
    }
    for (auto& one : *read) {
      const EventPlace place = EventPlace::Of(one.place);
      page.changes.push_back({place, std::move(one)});
    }
  }
  if (!wanted.connections) return page;
  connection_reads_.Add();
  auto read = connections_.Read(after.InConnections(), bounds->end, most.bytes);
  if (!read) return std::move(read).error();
  if (read->more) {
    page.more = true;
    page.up_to = std::min(page.up_to, EventPlace::Of(read->up_to));
  }
  for (auto& one : read->changes) {
    const EventPlace place = EventPlace::Of(one.place);
    page.changes.push_back({place, std::move(one)});
  }
  std::erase_if(page.changes, [&](const Change& one) { return one.place > page.up_to; });
  std::ranges::sort(page.changes, {}, &Change::place);
  return page;
}

}  // namespace heliograph::events
