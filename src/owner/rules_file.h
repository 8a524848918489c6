// Owner rules from a file that is read again when it changes.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "config/binder.h"
#include "log/log.h"
#include "owner/resolver.h"
#include "owner/rules.h"

namespace heliograph::owner {

struct RulesConfig {
  std::string rules_file = "/etc/heliograph/owners.yaml";

  void Bind(config::Binder& binder);
};

// A file that turns bad or disappears while we run changes nothing: the last good one counts, with
// an error in the log and in condition(). Threads: any thread.
class RulesFile final : public Resolver {
 public:
  // Throws base::StartupError: the file is missing or malformed.
  explicit RulesFile(const RulesConfig& config);

  // All are told, at once.
  std::vector<Answer> Resolve(std::span<const device::ClientId> client_ids,
                              Urgency urgency) override;
  void Refresh() override;                // reads when time, size or inode differ from last time
  std::string Revision() const override;  // a checksum of the file
  Condition condition() const override;

 private:
  struct Version {
    ino_t inode = 0;
    off_t size = -1;
    timespec modified{};
    bool operator==(const Version& other) const;
  };
  struct Content {
    Version version;
    Rules rules;
    std::string revision;
  };

  base::Result<Content> Read() const;
  std::vector<Answer> ResolveByCurrentRules(std::span<const device::ClientId> client_ids) const;
  static Version VersionOf(const struct stat& status);

  const std::string path_;
  const log::Logger log_{"owner"};
  mutable std::mutex mutex_;
  std::shared_ptr<const Rules> rules_;  // guarded by mutex_, as are the next three
  std::string revision_;
  Version version_;
  std::string trouble_;
};

}  // namespace heliograph::owner
