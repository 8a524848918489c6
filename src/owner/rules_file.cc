#include "owner/rules_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "base/startup_error.h"
#include "base/unique_fd.h"

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

// FNV-1a, 64 bits (draft-eastlake-fnv): tells one content from another, no protection against
// forgery is needed.
std::string Checksum(const std::string& content) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4)
    text += kDigits[hash >> static_cast<unsigned>(shift) & 15U];
  return text;
}

}  // namespace

void RulesConfig::Bind(config::Binder& binder) {
  binder.String(rules_file, "rules_file",
                "Whose device is it: a YAML list of rules, client id or pattern to tenant. Read "
                "again when it changes.");
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

std::vector<Owner> RulesFile::ResolveByCurrentRules(
    std::span<const device::ClientId> client_ids) const {
  std::shared_ptr<const Rules> rules;
  {
    const std::lock_guard lock(mutex_);
    rules = rules_;
  }
  std::vector<Owner> owners;
  owners.reserve(client_ids.size());
  for (const device::ClientId& client_id : client_ids) owners.push_back(rules->OwnerOf(client_id));
  return owners;
}

base::Result<std::vector<Owner>> RulesFile::Resolve(std::span<const device::ClientId> client_ids) {
  std::vector<Owner> owners = ResolveByCurrentRules(client_ids);
  if (std::find(owners.begin(), owners.end(), std::nullopt) == owners.end()) return owners;
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

std::string RulesFile::Trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace heliograph::owner
