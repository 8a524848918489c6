#include "http/router.h"

#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "http/guarded.h"
#include "http/target.h"

namespace heliograph::http {

// One level of the templates.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;

  // Where a template ends:
  std::string path_template;
  std::vector<std::string> parameter_names;
  std::map<std::string, RouteHandler, std::less<>> handlers;  // by method

  // The node at which `levels` end; `values` gets what stands at the parameters.
  const Node* Find(const std::vector<std::string>& levels, std::size_t depth,
                   std::vector<const std::string*>& values) const {
    if (depth == levels.size()) return handlers.empty() ? nullptr : this;
    if (const auto literal = literals.find(levels[depth]); literal != literals.end()) {
      if (const Node* found = literal->second->Find(levels, depth + 1, values)) return found;
    }
    if (parameter == nullptr || levels[depth].empty()) return nullptr;
    values.push_back(&levels[depth]);
    if (const Node* found = parameter->Find(levels, depth + 1, values)) return found;
    values.pop_back();
    return nullptr;
  }

  std::string Allow() const {
    std::string allow;
    for (const auto& [method, handler] : handlers) {
      allow += method + ", ";
      if (method == "GET") allow += "HEAD, ";
    }
    return allow + "OPTIONS";
  }
};

namespace {

std::vector<std::string_view> SplitLevels(std::string_view path) {
  std::vector<std::string_view> levels;
  if (!path.starts_with('/')) return levels;
  for (path.remove_prefix(1);;) {
    const auto slash = path.find('/');
    levels.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return levels;
    path.remove_prefix(slash + 1);
  }
}

// Empty when the path cannot be one of ours.
std::vector<std::string> DecodedLevels(const Request& request) {
  std::vector<std::string> levels;
  if (request.raw_path.empty()) {
    for (const std::string_view level : SplitLevels(request.path)) levels.emplace_back(level);
    return levels;
  }
  for (const std::string_view level : SplitLevels(request.raw_path)) {
    auto decoded = PercentDecode(level, false);
    if (!decoded) return {};
    levels.push_back(*std::move(decoded));
  }
  return levels;
}

bool IsParameter(std::string_view level) {
  return level.size() > 2 && level.front() == '{' && level.back() == '}';
}

Response NotFound(const Request& request) {
  return Problem(404, "not-found", "Not found", "Nothing is at " + request.path);
}

Response OptionsAnswer(std::string allow) {
  Response response;
  response.status = 204;
  response.headers.emplace_back("allow", std::move(allow));
  return response;
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::Add(std::string_view method, std::string_view path_template, RouteHandler handler) {
  const auto levels = SplitLevels(path_template);
  if (levels.empty()) {
    throw std::logic_error("the path template '" + std::string(path_template) + "' is malformed");
  }
  Node* node = root_.get();
  std::vector<std::string> names;
  for (const std::string_view level : levels) {
    auto& next = IsParameter(level) ? node->parameter : node->literals[std::string(level)];
    if (IsParameter(level)) names.emplace_back(level.substr(1, level.size() - 2));
    if (next == nullptr) next = std::make_unique<Node>();
    node = next.get();
  }
  const bool another = !node->handlers.empty() && node->path_template != path_template;
  if (another || !node->handlers.emplace(method, std::move(handler)).second) {
    throw std::logic_error("two routes at " + std::string(method) + " " +
                           std::string(path_template));
  }
  node->path_template = path_template;
  node->parameter_names = std::move(names);
}

Response Router::Route(Request request) const {
  if (request.path == "*" && request.method == "OPTIONS") {
    return OptionsAnswer("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
  }
  const auto levels = DecodedLevels(request);
  std::vector<const std::string*> values;
  const Node* const node = levels.empty() ? nullptr : root_->Find(levels, 0, values);
  if (node == nullptr) return NotFound(request);

  Response response;
  if (const auto found = node->handlers.find(request.method); found != node->handlers.end()) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      request.path_parameters.insert_or_assign(node->parameter_names[i], *values[i]);
    }
    response = CallGuarded(found->second, request);
  } else if (request.method == "OPTIONS") {
    response = OptionsAnswer(node->Allow());
  } else {
    response = Problem(405, "method-not-allowed", "Method not allowed",
                       request.path + " takes " + node->Allow());
    response.headers.emplace_back("allow", node->Allow());
  }
  response.matched_template = node->path_template;
  return response;
}

std::string_view Router::MatchedTemplate(const Request& request) const {
  const auto levels = DecodedLevels(request);
  std::vector<const std::string*> values;
  const Node* const node = levels.empty() ? nullptr : root_->Find(levels, 0, values);
  return node == nullptr ? std::string_view() : std::string_view(node->path_template);
}

}  // namespace heliograph::http
