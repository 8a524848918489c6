#include "ctl/api.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "ctl/secret_file.h"

namespace heliograph::ctl {
namespace {

using base::ErrorCode;

ErrorCode CodeOfStatus(int status) {
  switch (status) {
    case 400:
    case 422:
      return ErrorCode::kInvalidArgument;
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kConflict;
    case 413:
      return ErrorCode::kTooLarge;
    case 429:
    case 502:
    case 503:
      return ErrorCode::kUnavailable;
    case 504:
      return ErrorCode::kDeadlineExceeded;
    default:  // any other status is not one that the API documents
      return ErrorCode::kInternal;
  }
}

std::string TextOf(const json::Value& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

http_client::ClientConfig ConfigOf(const ApiOptions& options) {
  http_client::ClientConfig config;
  config.ca_file = options.ca_file;
  config.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_s * 1000));
  return config;
}

}  // namespace

void ApiOptions::Declare(CLI::App& command) {
  command.add_option("--api-url", url, "The API's address")
      ->envname("HELIOGRAPH_API_URL")
      ->capture_default_str()
      ->group("API");
  command
      .add_option("--token-file", token_file, "A file that holds the token (else HELIOGRAPH_TOKEN)")
      ->group("API");
  command
      .add_option("--ca-file", ca_file, "Certificates that verify an https API (else the system's)")
      ->group("API");
  command.add_option("--timeout", timeout_s, "Seconds that one call may take")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str()
      ->group("API");
}

base::Result<base::Secret> ReadToken(const std::string& file, const char* from_environment) {
  base::Secret token(from_environment != nullptr ? from_environment : "");
  if (!file.empty()) {
    auto read = ReadSecretFile(file, "token");
    if (!read) return std::move(read).error();
    token = *std::move(read);
  }
  if (token.empty()) return base::MakeError(ErrorCode::kUnauthenticated, "there is no token");
  for (const char c : token.Reveal()) {
    if (c <= ' ' || c > '~') {
      return base::MakeError(ErrorCode::kInvalidArgument,
                             "the token holds spaces or other characters that no token has");
    }
  }
  return token;
}

base::Error ErrorOfAnswer(const http_client::Response& response) {
  std::string message = "the API answered " + std::to_string(response.status);
  json::Parsed body = json::Parse(response.body);
  if (body && body->is_object()) {
    const std::string title = TextOf(*body, "title");
    const std::string detail = TextOf(*body, "detail");
    if (!title.empty()) message += ", " + title;
    if (!detail.empty()) message += ": " + detail;
  }
  if (const auto after = response.Header("retry-after")) {
    message += " (to be tried again after " + std::string(*after) + " s)";
  }
  if (response.status >= 500) {
    if (const auto id = response.Header("x-request-id")) {
      message += " [request " + std::string(*id) + "]";
    }
  }
  return base::MakeError(CodeOfStatus(response.status), message);
}

base::Result<Api> Api::Open(const ApiOptions& options) {
  auto url = http_client::BaseUrl::Parse(options.url);
  if (!url) return std::move(url).error();
  auto token = ReadToken(options.token_file, std::getenv("HELIOGRAPH_TOKEN"));
  if (!token) return std::move(token).error();
  return Api(*std::move(url), *std::move(token), ConfigOf(options));
}

Api::Api(http_client::BaseUrl url, base::Secret token, const http_client::ClientConfig& config)
    : url_(std::move(url)), token_(std::move(token)), client_(config) {}

base::Result<json::Value> Api::Get(const std::vector<std::string_view>& levels,
                                   const http_client::Query& query) {
  return Call({.url = url_.Join(levels, query)});
}

base::Result<json::Value> Api::Post(const std::vector<std::string_view>& levels,
                                    const http_client::Headers& headers, const json::Value& body) {
  http_client::Request request{.method = "POST", .url = url_.Join(levels), .headers = headers};
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = json::Write(body);
  return Call(std::move(request));
}

base::Result<json::Value> Api::Put(const std::vector<std::string_view>& levels,
                                   const json::Value& body) {
  http_client::Request request{.method = "PUT", .url = url_.Join(levels)};
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = json::Write(body);
  return Call(std::move(request));
}

base::Result<json::Value> Api::Patch(const std::vector<std::string_view>& levels,
                                     const json::Value& body) {
  http_client::Request request{.method = "PATCH", .url = url_.Join(levels)};
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = json::Write(body);
  return Call(std::move(request));
}

base::Status Api::Delete(const std::vector<std::string_view>& levels) {
  auto answer = Call({.method = "DELETE", .url = url_.Join(levels)});
  if (!answer) return std::move(answer).error();
  return {};
}

base::Status Api::Listen(const std::vector<std::string_view>& levels,
                         const http_client::Query& query, http_client::Headers headers,
                         std::chrono::milliseconds longest_silence,
                         const std::function<bool(std::string_view)>& on_text) {
  http_client::Request request{.url = url_.Join(levels, query), .headers = std::move(headers)};
  request.headers.emplace_back("Authorization", "Bearer " + token_.Reveal());
  request.headers.emplace_back("Accept", "text/event-stream");
  auto response = client_.Listen(request, longest_silence, on_text);
  if (!response) return std::move(response).error();
  if (response->status != 200) return ErrorOfAnswer(*response);
  return {};
}

base::Result<json::Value> Api::Call(http_client::Request request) {
  request.headers.emplace_back("Authorization", "Bearer " + token_.Reveal());
  request.headers.emplace_back("Accept", "application/json");
  auto response = client_.Send(request);
  if (!response) return std::move(response).error();
  if (response->status < 200 || response->status > 299) return ErrorOfAnswer(*response);
  if (response->status == 204) return json::Value();
  json::Parsed body = json::Parse(response->body);
  if (!body) {
    return base::MakeError(
        ErrorCode::kInternal,
        "what answered at " + url_.str() + " is not Heliograph's API: " + body.error().message);
  }
  return std::move(*body);
}

}  // namespace heliograph::ctl
