// Where an identity provider's keys come from: a file, or a URL.
#pragma once

#include <string>

#include "base/result.h"
#include "http_client/client.h"

namespace heliograph::auth {

// Threads: one thread.
class KeySource {
 public:
  virtual ~KeySource() = default;

  // The text of a key set. kUnavailable: it cannot be read now.
  virtual base::Result<std::string> Read() = 0;
};

// Threads: one thread.
class KeyFile final : public KeySource {
 public:
  explicit KeyFile(std::string path) : path_(std::move(path)) {}
  base::Result<std::string> Read() override;

 private:
  const std::string path_;
};

// Follows no redirect. Threads: one thread.
class KeyUrl final : public KeySource {
 public:
  KeyUrl(std::string url, const http_client::ClientConfig& config)
      : url_(std::move(url)), client_(config) {}
  base::Result<std::string> Read() override;

 private:
  const std::string url_;
  http_client::Client client_;
};

}  // namespace heliograph::auth
