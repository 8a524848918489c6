// What is answered about sets of devices: a dry run, and why there is no action.
#pragma once

#include "http/message.h"
#include "postgres/set_store.h"

namespace heliograph::api {

http::Response FromDryRun(const postgres::DryRun& dry_run);
http::Response FromRefusal(const postgres::SetRefusal& refusal);

}  // namespace heliograph::api
