#include "webhooks/config.h"

#include "http_client/address.h"

namespace heliograph::webhooks {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

void Config::Bind(config::Binder& binder) {
  binder.Integer(max_per_tenant, "max_per_tenant", {0, 1000},
                 "Webhooks that a tenant may have, and the operators; 0 = none may be made.");
  binder.Bool(allow_http, "allow_http",
              "Whether a receiver may be reached without TLS; else https only.");
  binder.StringList(allowed_networks, "allowed_networks",
                    "Networks of receivers beside the public Internet, as 10.1.0.0/16 or "
                    "fd00:1::/32. All other private, loopback, link-local and special addresses "
                    "are refused: a webhook would be a way into this network.");
  binder.Require(http_client::AddressPolicy::Parse(allowed_networks).has_value(),
                 "webhooks.allowed_networks holds what is not a network, or one with bits beyond "
                 "its prefix");
  binder.String(ca_file, "ca_file",
                "Certificates that verify receivers; empty = those of the system.");
  binder.Duration(connect_timeout, "connect_timeout_ms", {milliseconds(1), minutes(1)},
                  "How long a connection may take, with the name's look-up and TLS.");
  binder.Duration(timeout, "timeout_ms", {milliseconds(1), minutes(1)},
                  "How long a receiver may take for a whole request.");
  binder.Integer(max_connections, "max_connections", {4, 1024},
                 "Connections to receivers at a time, those included that are kept. Webhooks that "
                 "fail have half of them at most, each tenant a quarter.");
  binder.Integer(max_batch_events, "max_batch_events", {1, 1000}, "Events of one request.");
  binder.Duration(retry_first, "retry_first_ms", {milliseconds(10), minutes(1)},
                  "The shortest wait after a failure.");
  binder.Duration(retry_longest, "retry_longest_ms", {milliseconds(10), hours(1)},
                  "The longest: up to there it doubles with each failure.");
  binder.Duration(disable_after, "disable_after_s", {seconds(0), hours(24)},
                  "A webhook that has failed for so long, without a success, is disabled.");
  binder.Integer(disable_after_failures, "disable_after_failures", {1, 10'000},
                 "And not before it has failed so often.");
}

}  // namespace heliograph::webhooks
