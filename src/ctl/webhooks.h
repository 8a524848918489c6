// What the commands of `webhooks` ask and show.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ctl/api.h"
#include "ctl/console.h"
#include "ctl/exit_code.h"
#include "ctl/listing.h"
#include "json/json.h"

namespace heliograph::ctl {

struct ListWebhooksOptions {
  ApiOptions api;
  Paging paging;
};

struct WebhookOptions {
  ApiOptions api;
  std::string name;
};

// What create and update have in common. "" = not given.
struct PutWebhookOptions {
  WebhookOptions webhook;
  std::string url;
  std::vector<std::string> types;
  std::string client_id_prefix;
  std::string action_id;
  std::string secret_file;
  bool new_secret = false;  // another is to be made
  bool all = false;         // no filter any more, but those that are given
};

// The body of both. kInvalidArgument: the file cannot be read, or there is a secret twice.
base::Result<json::Value> WebhookOf(const PutWebhookOptions& options);

base::Result<ExitCode> ListWebhooks(const ListWebhooksOptions& options, const Console& console);
base::Result<ExitCode> ShowWebhook(const WebhookOptions& options, const Console& console);
base::Result<ExitCode> CreateWebhook(const PutWebhookOptions& options, const Console& console);
base::Result<ExitCode> UpdateWebhook(const PutWebhookOptions& options, const Console& console);
base::Result<ExitCode> DeleteWebhook(const WebhookOptions& options, const Console& console);
// `deed`: "test" or "enable".
base::Result<ExitCode> DoWithWebhook(const WebhookOptions& options, std::string_view deed,
                                     const Console& console);

}  // namespace heliograph::ctl
