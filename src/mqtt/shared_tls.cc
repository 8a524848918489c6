#include "mqtt/shared_tls.h"

#include "base/startup_error.h"
#include "tls/client_context.h"

namespace heliograph::mqtt {

SharedTls::SharedTls(const std::string& ca_file) {
  auto context = tls::ClientContext::Create(ca_file, tls::Buffers::kSmall);
  if (!context) throw base::StartupError(context.error().message);
  context_ = *std::move(context);
}

SharedTls::~SharedTls() = default;

}  // namespace heliograph::mqtt
