#include "auth/token_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/startup_error.h"
#include "base/unique_fd.h"

namespace heliograph::auth {
namespace {

constexpr std::chrono::seconds kLookEvery{1};
constexpr off_t kLargestFile = 4 * 1024 * 1024;

base::Error Wrong(const std::string& what) {
  return base::MakeError(base::ErrorCode::kInvalidArgument, what);
}

base::Result<std::string> ReadAll(int fd) {
  std::string content;
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return content;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Wrong(std::generic_category().message(errno));
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

bool TokenFile::Version::operator==(const Version& other) const {
  return device == other.device && inode == other.inode && size == other.size &&
         modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec &&
         mode == other.mode;
}

void TokensConfig::Bind(config::Binder& binder) {
  binder.String(
      tokens_file, "tokens_file",
      "Who may use the API: a YAML list of token hashes, mode 0600. Read again when it changes. "
      "Empty = JSON Web Tokens only.");
}

TokenFile::TokenFile(const TokensConfig& config, const base::Clock& clock,
                     metrics::Registry& metrics)
    : path_(config.tokens_file),
      clock_(clock),
      good_(
          metrics.AddGauge("heliograph_auth_tokens_file_good",
                           "1 while the tokens file is as it should be; 0: an older one counts.")),
      count_(metrics.AddGauge("heliograph_auth_tokens", "Bearer tokens that count.")) {
  auto tokens = Read(version_);
  if (!tokens) {
    throw base::StartupError("the tokens file '" + path_ +
                             "' cannot be used: " + tokens.error().message);
  }
  good_.Set(1);
  count_.Set(static_cast<double>(tokens->size()));
  tokens_ = std::make_shared<const TokenList>(*std::move(tokens));
}

base::Result<TokenList> TokenFile::Read(Version& version) const {
  const base::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Wrong(std::generic_category().message(errno));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return Wrong(std::generic_category().message(errno));
  version = {status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_mode};
  if (!S_ISREG(status.st_mode)) return Wrong("it is not a file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Wrong("others than its owner may use it; chmod 600 it");
  }
  if (status.st_size > kLargestFile) return Wrong("it has more than 4 MiB");
  const auto content = ReadAll(file.get());
  if (!content) return content.error();
  return TokenList::Parse(*content);
}

void TokenFile::ReadAgainIfChanged() {
  const auto now = clock_.SteadyNow().time_since_epoch();
  auto due = look_again_at_.load(std::memory_order_relaxed);
  if (now.count() < due) return;
  const auto next = std::chrono::steady_clock::duration(now + kLookEvery).count();
  if (!look_again_at_.compare_exchange_strong(due, next)) return;  // another thread looks
  struct stat status{};
  Version found;
  if (::stat(path_.c_str(), &status) == 0) {
    found = {status.st_dev, status.st_ino, status.st_size, status.st_mtim, status.st_mode};
  }
  {
    const std::lock_guard lock(mutex_);
    if (found == version_) return;
  }
  auto tokens = Read(found);
  good_.Set(tokens ? 1 : 0);
  if (tokens) {
    count_.Set(static_cast<double>(tokens->size()));
    log_.Info("tokens file read again", {{"tokens", tokens->size()}});
  } else {
    log_.Error("tokens file is bad, the one before counts", {{"why", tokens.error().message}});
  }
  const std::lock_guard lock(mutex_);
  version_ = found;
  if (tokens) tokens_ = std::make_shared<const TokenList>(*std::move(tokens));
}

std::shared_ptr<const TokenList> TokenFile::tokens() const {
  const std::lock_guard lock(mutex_);
  return tokens_;
}

std::size_t TokenFile::size() const { return tokens()->size(); }

base::Result<Principal> TokenFile::Authenticate(std::string_view token) {
  ReadAgainIfChanged();
  const auto current = tokens();
  if (const Principal* principal = current->Find(token)) return *principal;
  return base::MakeError(base::ErrorCode::kUnauthenticated, "the token is not known");
}

}  // namespace heliograph::auth
