// Bearer tokens from a file that is read again when it changes.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "auth/authenticator.h"
#include "auth/token_list.h"
#include "base/clock.h"
#include "config/binder.h"
#include "log/log.h"
#include "metrics/metrics.h"

namespace heliograph::auth {

struct TokensConfig {
  std::string tokens_file = "/etc/heliograph/tokens.yaml";

  void Bind(config::Binder& binder);
};

// A file that turns bad while we run changes nothing: the last good one counts, with an error in
// the log, and heliograph_auth_tokens_file_good is 0 until it is repaired. Threads: any thread.
class TokenFile final : public Authenticator {
 public:
  // Throws base::StartupError: the file is missing, readable by others than its owner, or
  // malformed.
  TokenFile(const TokensConfig& config, const base::Clock& clock, metrics::Registry& metrics);

  base::Result<Principal> Authenticate(std::string_view token) override;
  std::size_t size() const;  // tokens that count now

 private:
  // What tells that a file is another one than before.
  struct Version {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};
    mode_t mode = 0;
    bool operator==(const Version& other) const;
  };

  base::Result<TokenList> Read(Version& version) const;
  void ReadAgainIfChanged();
  std::shared_ptr<const TokenList> tokens() const;

  const std::string path_;
  const base::Clock& clock_;
  const log::Logger log_{"auth"};
  metrics::Gauge good_;
  metrics::Gauge count_;
  std::atomic<std::chrono::steady_clock::rep> look_again_at_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const TokenList> tokens_;  // guarded by mutex_
  Version version_;                          // guarded by mutex_
};

}  // namespace heliograph::auth
