#include "recorder/dead_letter_applier.h"

#include <array>
#include <utility>

#include "device/ids.h"

namespace heliograph::recorder {
namespace {

constexpr std::array<const char*, 3> kHeaders = {"reason", "source", "detail"};
constexpr std::size_t kLongestText = 1000;  // bytes of a header that are kept

// Whoever may write to the topic may write anything: what PostgreSQL, or a reader's terminal, would
// not take becomes a question mark.
std::string Plain(std::string_view text) {
  std::string out(text.substr(0, kLongestText));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

}  // namespace

DeadLetterApplier::DeadLetterApplier(std::string topic, metrics::Registry& metrics)
    : topic_(std::move(topic)),
      listed_(
          metrics.AddCounter("heliograph_recorder_listed_dead_letters_total",
                             "Records of the topic of dead letters that were put in the list.")) {}

std::span<const char* const> DeadLetterApplier::Headers() const { return kHeaders; }

std::vector<Refusal> DeadLetterApplier::Prepare(std::span<const Record> records) {
  letters_.clear();
  for (const Record& record : records) {
    postgres::LetterRecord letter;
    letter.partition = record.partition;
    letter.offset = record.offset;
    if (device::IsClientId(record.key)) letter.client_id = record.key;
    letter.reason = record.headers[0].empty() ? "unknown" : Plain(record.headers[0]);
    letter.source = Plain(record.headers[1]);
    letter.detail = Plain(record.headers[2]);
    letter.payload = record.payload;
    letters_.push_back(std::move(letter));
  }
  return {};
}

base::Result<std::vector<Refusal>> DeadLetterApplier::Apply(postgres::Transaction& transaction,
                                                            const Generations&) {
  if (base::Status added = postgres::AddDeadLetters(transaction, topic_, letters_); !added) {
    return std::move(added).error();
  }
  return std::vector<Refusal>();
}

void DeadLetterApplier::Committed(postgres::Connection&) {
  listed_.Add(static_cast<double>(letters_.size()));
}

base::Status DeadLetterApplier::Take(postgres::Connection&, const postgres::LogOffset&) {
  return {};
}
void DeadLetterApplier::GiveUp(std::int32_t) {}
void DeadLetterApplier::Tick(const Offsets&) {}

}  // namespace heliograph::recorder
