// What a statement answered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/unique_handle.h"

struct pg_result;

namespace heliograph::postgres {

void FreeResult(pg_result* result) noexcept;

// Rows and columns count from 0. Threads: immutable; views live as long as the Rows.
class Rows {
 public:
  explicit Rows(pg_result* owned) : result_(owned) {}

  int size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  std::string_view command() const noexcept;  // what it was: "COMMIT", "INSERT 0 1"
  std::int64_t affected() const noexcept;     // rows that INSERT, UPDATE or DELETE changed

  bool IsNull(int row, int column) const noexcept;
  std::string_view Get(int row, int column) const noexcept;  // "" where NULL
  std::optional<std::string> GetOptional(int row, int column) const;
  std::string GetJson(int row, int column) const;  // "null" where NULL

  // For columns of that type; NULL gives 0, false, and the epoch.
  std::int64_t GetInt64(int row, int column) const noexcept;
  bool GetBool(int row, int column) const noexcept;
  base::Timestamp GetTimestamp(int row, int column) const noexcept;  // timestamptz, years 1 to 9999
  std::optional<base::Timestamp> GetOptionalTimestamp(int row, int column) const noexcept;

 private:
  friend class Connection;
  bool IsEnd() const noexcept { return !result_; }  // libpq says so that there is no further result
  bool failed() const noexcept;

  base::UniqueHandle<pg_result, FreeResult> result_;
};

}  // namespace heliograph::postgres
