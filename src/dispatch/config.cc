#include "dispatch/config.h"

namespace heliograph::dispatch {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

void ActionsConfig::Bind(config::Binder& binder) {
  binder.Duration(default_ttl, "default_ttl_s", {seconds(1), hours(30 * 24)},
                  "How long an action lives whose request gives neither ttl_s nor deadline. Then "
                  "nothing of it is published or delivered any more, and every target is final.");
  binder.Duration(publish_timeout, "publish_timeout_ms", {milliseconds(100), seconds(60)},
                  "How long the broker has to acknowledge an action to one device; each further "
                  "target adds a millisecond.");
  binder.Integer(
      max_waiting_twins, "max_waiting_twins", {1, 1000},
      "Requests that may wait longer than a second for another one with the same "
      "Idempotency-Key; more are told to come again. A quarter of listen.handler_threads: "
      "half of them may wait for the broker.");
}

}  // namespace heliograph::dispatch
