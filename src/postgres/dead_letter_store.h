// What could not be done, and what somebody decided about it: table dead_letters,
// migrations/0008_target_log.up.sql.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "action/ids.h"
#include "base/clock.h"
#include "base/result.h"
#include "device/ids.h"
#include "postgres/audit.h"
#include "postgres/pool.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {

inline constexpr std::chrono::days kDeadLettersAreKept{30};
inline constexpr std::size_t kLongestLetterPayload = 16 * 1024;  // more of it is in Kafka only

// A record of the topic of dead letters.
struct LetterRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string client_id;  // "" = it does not say, or nothing that is one
  std::string reason;     // the last three are UTF-8 without U+0000
  std::string source;
  std::string detail;
  std::string_view payload;  // any bytes; cut to kLongestLetterPayload
};

base::Status AddDeadLetters(Transaction& transaction, const std::string& topic,
                            std::span<const LetterRecord> records);

enum class DeadLetterKind { kAction, kRecord };
enum class DeadLetterState { kOpen, kReplayed, kDiscarded };
// "action", "record"; "open", "replayed", "discarded": the words in SQL and JSON.
std::string_view DeadLetterKindName(DeadLetterKind kind);
std::optional<DeadLetterKind> ParseDeadLetterKind(std::string_view name);
std::string_view DeadLetterStateName(DeadLetterState state);
std::optional<DeadLetterState> ParseDeadLetterState(std::string_view name);

// A letter's place in the list, which is the order of time.
struct DeadLetterPlace {
  base::Timestamp at{};
  std::int64_t id = 0;
};

struct DeadLetter {
  DeadLetterPlace place;
  DeadLetterKind kind = DeadLetterKind::kAction;
  std::optional<device::TenantId> tenant;
  std::string client_id;  // "" = the record does not say
  std::string reason;
  // Of a target.
  std::optional<action::ActionId> action_id;
  std::string status;
  // Of a record.
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string source;
  std::string detail;
  std::string payload_base64;  // its beginning; only from Get

  DeadLetterState state = DeadLetterState::kOpen;
  std::optional<base::Timestamp> decided_at;
  std::string decided_by;
  std::string note;
  std::optional<action::ActionId> replayed_as;
};

// Every filter that is given must hold.
struct DeadLetterQuery {
  std::optional<device::TenantId> sight = {};  // nullopt = an operator's: all
  std::optional<device::TenantId> tenant = {};
  std::optional<DeadLetterKind> kind = {};
  std::optional<DeadLetterState> state = {};
  std::optional<std::string> reason = {};
  std::optional<std::string> client_id = {};
  std::optional<action::ActionId> action_id = {};
  std::optional<base::Timestamp> from = {};    // included
  std::optional<base::Timestamp> until = {};   // not included
  std::optional<DeadLetterPlace> before = {};  // nullopt = from the newest
  std::int64_t limit = 100;
};

struct DeadLetterPage {
  std::vector<DeadLetter> letters;
  // Where to go on; nullopt: that was all. A page may be short, even empty, and yet not the last.
  std::optional<DeadLetterPlace> next;
};

// Of how many letters one page looks at what no index serves.
inline constexpr std::int64_t kDeadLettersLookedAt = 10'000;

// Letters of targets are written where the target ends, and decided about by ActionStore's Create
// where they are tried again. Errors as Connection's. Threads: any thread.
class DeadLetterStore {
 public:
  // `wait` bounds how long a call waits for a session.
  DeadLetterStore(Pool& pool, std::chrono::milliseconds wait) : pool_(pool), wait_(wait) {}

  // The newest first.
  base::Result<DeadLetterPage> List(const DeadLetterQuery& query);

  // nullopt: there is none, or it is out of sight.
  base::Result<std::optional<DeadLetter>> Get(std::int64_t id,
                                              const std::optional<device::TenantId>& sight);

  // Sets an open letter to kDiscarded and tells the audit. The letter as it is then: whoever
  // decided before, his word counts. nullopt as Get, for the origin's tenant.
  base::Result<std::optional<DeadLetter>> Discard(std::int64_t id, const std::string& note,
                                                  const Origin& origin);

  // Deletes at most `most` letters that are older than kDeadLettersAreKept. How many it were.
  base::Result<std::int64_t> Forget(std::int64_t most);

 private:
  base::Result<Pool::Lease> Session();

  Pool& pool_;
  const std::chrono::milliseconds wait_;
};

}  // namespace heliograph::postgres
