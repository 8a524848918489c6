#include "fleet/report.h"

#include <cstdio>
#include <fstream>

#include "json/json.h"

namespace heliograph::fleet {
namespace {

json::Value RangesOf(const SequenceSet& set) {
  json::Value ranges = json::Value::array();
  for (const auto& [first, last] : set.ranges()) ranges.push_back({first, last});
  return ranges;
}

std::string Count(const char* word, std::uint64_t number) {
  return number == 0 ? "" : "  " + std::string(word) + " " + std::to_string(number);
}

std::string Receipts(const Totals& totals) {
  if (!totals.unreceipted) return "";
  return "  receipts " + std::to_string(totals.counters.receipts) + "  unreceipted " +
         std::to_string(*totals.unreceipted);
}

std::string Rest(const Totals& totals) {
  const Counters& counters = totals.counters;
  return Receipts(totals) + Count("outstanding", totals.outstanding) +
         Count("resent", counters.resent) + Count("forgotten", counters.forgotten) +
         Count("nobody-listened", counters.no_subscriber) + Count("refused", counters.refused) +
         Count("actions", counters.actions) + Count("lost-connections", counters.losses);
}

}  // namespace

std::string ProgressLine(const Totals& now, const Counters& before) {
  const Counters& counters = now.counters;
  char text[256];
  std::snprintf(text, sizeof text,
                "%6.0fs  online %llu/%zu  sent %llu (+%llu)  acknowledged %llu (+%llu)",
                now.seconds, static_cast<unsigned long long>(counters.online), now.devices,
                static_cast<unsigned long long>(counters.sent),
                static_cast<unsigned long long>(counters.sent - before.sent),
                static_cast<unsigned long long>(counters.acknowledged),
                static_cast<unsigned long long>(counters.acknowledged - before.acknowledged));
  return text + Rest(now);
}

std::string SummaryLine(const Totals& totals) {
  const Counters& counters = totals.counters;
  const double rate =
      totals.seconds > 0 ? static_cast<double>(counters.acknowledged) / totals.seconds : 0;
  char text[256];
  std::snprintf(text, sizeof text,
                "%zu devices, %.1f s: %llu messages sent, %llu acknowledged (%.0f/s)",
                totals.devices, totals.seconds, static_cast<unsigned long long>(counters.sent),
                static_cast<unsigned long long>(counters.acknowledged), rate);
  return text + Rest(totals) + Count("never-online", totals.never_online);
}

std::string SummaryJson(const Totals& totals) {
  const Counters& counters = totals.counters;
  return json::Write({{"devices", totals.devices},
                      {"online", counters.online},
                      {"never_online", totals.never_online},
                      {"seconds", totals.seconds},
                      {"connects", counters.connects},
                      {"lost_connections", counters.losses},
                      {"sent", counters.sent},
                      {"resent", counters.resent},
                      {"acknowledged", counters.acknowledged},
                      {"no_subscriber", counters.no_subscriber},
                      {"refused", counters.refused},
                      {"forgotten", counters.forgotten},
                      {"outstanding", totals.outstanding},
                      {"actions", counters.actions},
                      {"answers", counters.answers},
                      {"receipts", counters.receipts},
                      {"unreceipted", totals.unreceipted.value_or(0)}});
}

base::Status WriteAcks(const std::string& file, const std::string& run,
                       const std::vector<std::unique_ptr<SimulatedDevice>>& devices) {
  std::ofstream out(file);
  for (const auto& one : devices) {
    for (const auto channel : {device::Channel::kControl, device::Channel::kData}) {
      const Outbox& outbox = one->outbox(channel);
      if (outbox.last() == 0) continue;
      out << json::Write({{"run", run},
                          {"device", one->name()},
                          {"channel", device::ChannelName(channel)},
                          {"last", outbox.last()},
                          {"acknowledged", RangesOf(outbox.acknowledged())},
                          {"no_subscriber", RangesOf(outbox.no_subscriber())},
                          {"refused", RangesOf(outbox.refused())},
                          {"receipted", RangesOf(outbox.receipted())}})
          << '\n';
    }
  }
  out.close();
  if (out) return {};
  return base::MakeError(base::ErrorCode::kUnavailable, "'" + file + "' cannot be written");
}

}  // namespace heliograph::fleet
