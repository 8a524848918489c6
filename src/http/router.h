// Method and path template -> handler; immutable once built, so any number of threads may look up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace heliograph::http {

// Threads: Add before serving, from one thread; the rest from any.
class Router {
 public:
  using RouteHandler = std::function<Response(const Request&)>;

  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // Template levels in braces are parameters and match one level that is not empty:
  // "/v1/connections/{client_id}". A literal level goes before a parameter. HEAD comes with GET.
  // Throws std::logic_error for a template that is malformed or taken.
  void Add(std::string_view method, std::string_view path_template, RouteHandler handler);

  // Sets `path_parameters` and the response's `matched_template`. 404 problem for an unknown path,
  // 405 with Allow for a known path with another method; OPTIONS answers 204 with Allow; a handler
  // that throws answers 500.
  Response Route(Request request) const;

  // The template that matched, for metrics and logs ("" = none): never a raw path as a label.
  std::string_view MatchedTemplate(const Request& request) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace heliograph::http
