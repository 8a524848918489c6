#include "tls/client_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cassert>
#include <utility>

#include "tls/openssl.h"

namespace heliograph::tls {
namespace {

constexpr std::size_t kReadAheadBytes = 64 * 1024;
constexpr int kWriteBufferBytes = 32 * 1024;

BIO* BufferOf(const SSL& connection) {
  BIO* writer = SSL_get_wbio(&connection);
  return writer != nullptr && BIO_method_type(writer) == BIO_TYPE_BUFFER ? writer : nullptr;
}

bool IsAddress(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// The name to verify, and to ask for (SNI, RFC 6066: names only, no addresses).
bool ExpectHost(SSL& connection, const std::string& host) {
  X509_VERIFY_PARAM* parameters = SSL_get0_param(&connection);
  if (IsAddress(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1 &&
           SSL_set_tlsext_host_name(&connection, nullptr) == 1;
  }
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) == 1 &&
         SSL_set_tlsext_host_name(&connection, host.c_str()) == 1;
}

}  // namespace

struct ClientContext::State {
  UniqueSslContext context;
};

struct ClientContext::Callbacks {
  static ClientContext& Self(const SSL* connection) {
    return *static_cast<ClientContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
  }

  static int OnVerify(int ok, X509_STORE_CTX* store) noexcept {
    if (ok != 1) {
      const auto* connection = static_cast<const SSL*>(
          X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
      Self(connection).refusal_ = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
    }
    return ok;
  }

  static void OnInfo(const SSL* connection, int where, int) noexcept {
    if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
    Handshake* handshake = Self(connection).handshake_;
    if (handshake == nullptr) return;
    SSL& changeable = *const_cast<SSL*>(connection);  // OpenSSL hands its own object out as const
    handshake->prepared_ =
        ExpectHost(changeable, handshake->host_) && handshake->identity_.Present(changeable);
  }
};

ClientContext::ClientContext(std::unique_ptr<State> state) : state_(std::move(state)) {
  SSL_CTX_set_app_data(state_->context.get(), this);
  SSL_CTX_set_info_callback(state_->context.get(), Callbacks::OnInfo);
}

ClientContext::~ClientContext() {
  // A connection may still hold the context; it must not call back into what is gone.
  SSL_CTX_set_info_callback(state_->context.get(), nullptr);
}

base::Result<std::unique_ptr<ClientContext>> ClientContext::Create(const std::string& ca_file,
                                                                   Buffers buffers) {
  auto state = std::make_unique<State>();
  state->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = state->context.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    return base::MakeError(base::ErrorCode::kInternal, "OpenSSL gave no context: " + TakeReason());
  }
  if (const auto readable = ReadCertificates(ca_file); !readable) return readable.error();
  if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    return base::MakeError(base::ErrorCode::kInvalidArgument,
                           "'" + ca_file + "' holds no usable authority: " + TakeReason());
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, Callbacks::OnVerify);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);
  if (buffers == Buffers::kLarge) {
    SSL_CTX_set_default_read_buffer_len(context, kReadAheadBytes);
  } else {
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  }
  return std::unique_ptr<ClientContext>(
      new ClientContext(std::move(state)));  // NOLINT: private constructor
}

ssl_ctx_st* ClientContext::handle() noexcept { return state_->context.get(); }

std::string ClientContext::TakeRefusal() { return std::exchange(refusal_, {}); }

ClientContext::Handshake::Handshake(ClientContext& context, const Identity& identity,
                                    const std::string& host)
    : context_(context), identity_(identity), host_(host) {
  assert(context_.handshake_ == nullptr);
  context_.handshake_ = this;
}

ClientContext::Handshake::~Handshake() { context_.handshake_ = nullptr; }

bool IsHandshakeFinished(const ssl_st& connection) noexcept {
  return SSL_is_init_finished(&connection) == 1;
}

bool WaitsToWrite(const ssl_st& connection) noexcept { return SSL_want_write(&connection); }

bool WaitsToRead(const ssl_st& connection) noexcept { return SSL_want_read(&connection); }

bool HasReadAhead(const ssl_st& connection) noexcept { return SSL_has_pending(&connection) == 1; }

bool BufferWrites(ssl_st& connection) noexcept {
  BIO* buffer = BIO_new(BIO_f_buffer());
  if (buffer == nullptr || BIO_set_write_buffer_size(buffer, kWriteBufferBytes) != 1) {
    BIO_free(buffer);
    return false;
  }
  BIO* socket = SSL_get_wbio(&connection);
  BIO_up_ref(socket);  // the connection gives up its own reference in the next call
  SSL_set0_wbio(&connection, BIO_push(buffer, socket));
  return true;
}

bool HasUnwritten(const ssl_st& connection) noexcept {
  BIO* buffer = BufferOf(connection);
  return buffer != nullptr && BIO_wpending(buffer) > 0;
}

bool FlushWrites(ssl_st& connection) noexcept {
  BIO* buffer = BufferOf(connection);
  if (buffer == nullptr || BIO_wpending(buffer) == 0) return true;
  return BIO_flush(buffer) == 1 || BIO_should_retry(buffer) != 0;
}

void StopBuffering(ssl_st& connection) noexcept {
  BIO* buffer = BufferOf(connection);
  if (buffer == nullptr) return;
  BIO* socket = BIO_next(buffer);
  BIO_up_ref(socket);
  SSL_set0_wbio(&connection, socket);
}

void ForgetErrors() noexcept { ERR_clear_error(); }

}  // namespace heliograph::tls
