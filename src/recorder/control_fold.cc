#include "recorder/control_fold.h"

#include <algorithm>
#include <numeric>

namespace heliograph::recorder {

using device::Offline;
using device::Online;
using postgres::StoredHistory;

std::vector<Refusal> ControlFold::Prepare(std::span<const Record> records) {
  std::vector<Refusal> refused;
  messages_.clear();
  client_ids_.clear();
  empty_payloads_ = 0;
  const auto refuse = [&](std::size_t index, const device::Unacceptable& why) {
    refused.push_back({index, device::DeadLetterReasonName(why.reason), why.detail});
  };
  std::unordered_map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    if (record.payload.empty()) {
      ++empty_payloads_;
      continue;
    }
    if (!device::IsClientId(record.key)) {
      refuse(i, {device::DeadLetterReason::kBadClientId, "the record's key is not a client id"});
      continue;
    }
    auto parsed = device::ParseControlMessage(record.payload);
    if (const auto* why = std::get_if<device::Unacceptable>(&parsed)) {
      refuse(i, *why);
      continue;
    }
    const auto [place, is_new] = known.emplace(record.key, client_ids_.size());
    if (is_new) client_ids_.emplace_back(record.key);
    messages_.push_back(
        {place->second, &record, std::get<device::ControlMessage>(std::move(parsed))});
  }
  SortClients();
  return refused;
}

void ControlFold::SortClients() {
  std::vector<std::size_t> order(client_ids_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [this](std::size_t a, std::size_t b) { return client_ids_[a] < client_ids_[b]; });
  std::vector<std::size_t> place(order.size());
  std::vector<device::ClientId> sorted;
  sorted.reserve(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    sorted.push_back(std::move(client_ids_[order[i]]));
  }
  client_ids_ = std::move(sorted);
  for (Message& one : messages_) one.history = place[one.history];
}

// Which further stays the rules may ask for, beside the open one. What cannot matter is left out:
// that is nearly all.
ControlFold::Wanted ControlFold::FindWanted(const std::vector<StoredHistory>& histories) const {
  Wanted wanted;
  std::vector<std::int32_t> onlines(histories.size(),
                                    0);  // of this batch, up to the message at hand
  for (const Message& one : messages_) {
    const StoredHistory& history = histories[one.history];
    if (const auto* online = std::get_if<Online>(&one.message.body)) {
      ++onlines[one.history];
      if (history.stored && online->session_id && !one.message.message_id.empty()) {
        wanted.opened.push_back({one.history, *online->session_id, one.message.message_id});
      }
      continue;
    }
    const auto* offline = std::get_if<Offline>(&one.message.body);
    if (offline == nullptr || !offline->session_id || !history.stored) continue;
    // Whether its own session has ended matters where another one may be open.
    const auto& loaded = history.history.intervals;
    const bool own_is_open = !loaded.empty() && loaded.front().session_id == offline->session_id;
    const bool nothing_open = loaded.empty() && onlines[one.history] == 0;
    if (own_is_open || nothing_open) continue;
    wanted.ended.push_back({one.history, *offline->session_id, onlines[one.history] + 1});
  }
  return wanted;
}

// Also those that come from another partition, whose sweep by changed rules may have missed them.
std::vector<std::size_t> ControlFold::ResolveNew(owner::Resolver& resolver,
                                                 std::vector<StoredHistory>& histories) const {
  std::vector<bool> moved(histories.size());
  for (const Message& one : messages_) {
    const StoredHistory& history = histories[one.history];
    if (history.history.connection.position.partition != one.record->partition) {
      moved[one.history] = true;
    }
  }
  std::vector<std::size_t> fresh;
  std::vector<device::ClientId> client_ids;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    if (histories[i].stored && !moved[i]) continue;
    fresh.push_back(i);
    client_ids.push_back(client_ids_[i]);
  }
  if (fresh.empty()) return {};
  auto answers = resolver.Resolve(client_ids, owner::Urgency::kConnecting);
  std::vector<std::size_t> untold;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    if (answers[i].told) {
      histories[fresh[i]].history.connection.tenant = std::move(answers[i].owner);
    } else {
      untold.push_back(fresh[i]);
    }
  }
  return untold;
}

base::Status ControlFold::Apply(postgres::Transaction& transaction, const Generations& generations,
                                owner::Resolver* resolver, const ChangeCallback& on_change) {
  untold_.clear();
  if (messages_.empty()) return {};
  auto loaded = postgres::LoadHistories(transaction, client_ids_);
  if (!loaded) return std::move(loaded).error();
  std::vector<StoredHistory>& histories = *loaded;
  const Wanted wanted = FindWanted(histories);
  if (auto more = postgres::LoadOpenedStays(transaction, wanted.opened, histories); !more)
    return more;
  if (auto more = postgres::LoadEndedStays(transaction, wanted.ended, histories); !more)
    return more;
  std::vector<std::size_t> untold;
  if (resolver != nullptr) untold = ResolveNew(*resolver, histories);
  for (const Message& one : messages_) {
    device::History& history = histories[one.history].history;
    const device::Change change = device::Apply(
        one.message, {one.record->partition, one.record->offset}, one.record->time, history);
    if (change != device::Change::kNone && on_change)
      on_change(change, history.connection, *one.record);
  }
  for (const std::size_t i : untold) {
    const device::Connection& connection = histories[i].history.connection;
    untold_.push_back({connection.client_id, connection.position.partition});
  }
  return postgres::SaveHistories(transaction, histories, generations);
}

}  // namespace heliograph::recorder
