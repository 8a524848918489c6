// Heliograph's own REST API, as a client of it: the token, the problem details, the pages.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "http_client/client.h"
#include "http_client/url.h"
#include "json/json.h"

namespace CLI {
class App;
}  // namespace CLI

namespace heliograph::ctl {

// Where the API is and who asks. Declared once for every command that needs it.
struct ApiOptions {
  std::string url = "http://127.0.0.1:8080";
  std::string token_file;
  std::string ca_file;
  double timeout_s = 15;

  void Declare(CLI::App& command);
};

// From the file, or where none is named from `from_environment` (may be null). kUnauthenticated:
// there is none; kInvalidArgument: it cannot be read, is empty or is not one line. Never a flag:
// those are in everybody's `ps`.
base::Result<base::Secret> ReadToken(const std::string& file, const char* from_environment);

// The error that an answer of 400 or more stands for, with the words of its problem details.
base::Error ErrorOfAnswer(const http_client::Response& response);

// Threads: one thread.
class Api {
 public:
  // Reads the token; asks nothing yet.
  static base::Result<Api> Open(const ApiOptions& options);

  base::Result<json::Value> Get(const std::vector<std::string_view>& levels,
                                const http_client::Query& query = {});
  base::Result<json::Value> Post(const std::vector<std::string_view>& levels,
                                 const http_client::Headers& headers, const json::Value& body);
  base::Result<json::Value> Put(const std::vector<std::string_view>& levels,
                                const json::Value& body);
  base::Result<json::Value> Patch(const std::vector<std::string_view>& levels,
                                  const json::Value& body);
  // An answer that goes on, as http_client's Listen; an end by the server is no error.
  base::Status Listen(const std::vector<std::string_view>& levels, const http_client::Query& query,
                      http_client::Headers headers, std::chrono::milliseconds longest_silence,
                      const std::function<bool(std::string_view)>& on_text);
  base::Status Delete(const std::vector<std::string_view>& levels);

 private:
  Api(http_client::BaseUrl url, base::Secret token, const http_client::ClientConfig& config);
  base::Result<json::Value> Call(http_client::Request request);

  http_client::BaseUrl url_;
  base::Secret token_;
  http_client::Client client_;
};

}  // namespace heliograph::ctl
