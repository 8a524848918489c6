#include "owner/rules_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/startup_error.h"
#include "base/unique_fd.h"
#include "owner/checksum.h"

namespace heliograph::owner {
namespace {

constexpr off_t kLargestFile = 64 * 1024 * 1024;

base::Error Wrong(const std::string& what) {
  return base::MakeError(base::ErrorCode::kInvalidArgument, what);
}

base::Result<std::string> ReadAll(int fd) {
  std::string content;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return content;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Wrong(std::generic_category().message(errno));
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

void RulesConfig::Bind(config::Binder& binder) {
  binder.String(rules_file, "rules_file",
                "Whose device is it: a YAML list of rules, client id or pattern to tenant. Read "
                "again when it changes. Empty = http.url tells.");
}

bool RulesFile::Version::operator==(const Version& other) const {
  return inode == other.inode && size == other.size && modified.tv_sec == other.modified.tv_sec &&
         modified.tv_nsec == other.modified.tv_nsec;
}

RulesFile::Version RulesFile::VersionOf(const struct stat& status) {
  return {status.st_ino, status.st_size, status.st_mtim};
}

RulesFile::RulesFile(const RulesConfig& config) : path_(config.rules_file) {
  auto content = Read();
  if (!content) {
    throw base::StartupError("the owner rules '" + path_ +
                             "' cannot be used: " + content.error().message);
  }
  log_.Info("owner rules read", {{"rules", content->rules.size()}});
  version_ = content->version;
  revision_ = std::move(content->revision);
  rules_ = std::make_shared<const Rules>(std::move(content->rules));
}

base::Result<RulesFile::Content> RulesFile::Read() const {
  const base::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Wrong(std::generic_category().message(errno));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return Wrong(std::generic_category().message(errno));
  if (!S_ISREG(status.st_mode)) return Wrong("it is not a file");
  if (status.st_size > kLargestFile) return Wrong("it has more than 64 MiB");
  const auto yaml = ReadAll(file.get());
  if (!yaml) return yaml.error();
  auto rules = Rules::Parse(*yaml);
  if (!rules) return std::move(rules).error();
  return Content{VersionOf(status), *std::move(rules), Checksum(*yaml)};
}

std::vector<Answer> RulesFile::ResolveByCurrentRules(
    std::span<const device::ClientId> client_ids) const {
  std::shared_ptr<const Rules> rules;
  {
    const std::lock_guard lock(mutex_);
    rules = rules_;
  }
  std::vector<Answer> answers;
  answers.reserve(client_ids.size());
  for (const device::ClientId& client_id : client_ids) {
    answers.push_back({true, rules->OwnerOf(client_id)});
  }
  return answers;
}

std::vector<Answer> RulesFile::Resolve(std::span<const device::ClientId> client_ids,
                                       Urgency /*urgency*/) {
  std::vector<Answer> answers = ResolveByCurrentRules(client_ids);
  if (std::ranges::all_of(answers, [](const Answer& one) { return one.owner.has_value(); })) {
    return answers;
  }
  // A rule is often written just before its device first connects.
  Refresh();
  return ResolveByCurrentRules(client_ids);
}

void RulesFile::Refresh() {
  struct stat status{};
  const bool there = ::stat(path_.c_str(), &status) == 0;
  const Version found = there ? VersionOf(status) : Version{};
  {
    const std::lock_guard lock(mutex_);
    if (found == version_) return;
  }
  auto content = Read();
  const std::lock_guard lock(mutex_);
  version_ = content ? content->version : found;
  if (!content) {
    trouble_ = "the owner rules are bad, the ones before count: " + content.error().message;
    log_.Error("owner rules are bad, the ones before count", {{"why", content.error().message}});
    return;
  }
  trouble_.clear();
  if (content->revision == revision_) return;
  log_.Info("owner rules read again", {{"rules", content->rules.size()}});
  revision_ = std::move(content->revision);
  rules_ = std::make_shared<const Rules>(std::move(content->rules));
}

std::string RulesFile::Revision() const {
  const std::lock_guard lock(mutex_);
  return revision_;
}

Condition RulesFile::condition() const {
  const std::lock_guard lock(mutex_);
  return {trouble_, trouble_.empty()};
}

}  // namespace heliograph::owner
