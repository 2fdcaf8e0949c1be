#include "http/tls.h"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include "base/file.h"
#include "crypto/openssl.h"

namespace tenken::http {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;

using crypto::Freed;
using crypto::no_pass_phrase;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<SSL_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;

Error openssl_error(std::string_view what) {
  return crypto::openssl_error(Errc::invalid, what);
}

int choose_http_1_1(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

class TlsStream final : public Stream {
 public:
  TlsStream(Session session, int socket) : session_(std::move(session)), socket_(socket) {}

  Step handshake() override {
    ERR_clear_error();
    return step(SSL_accept(session_.get()), 1);
  }
  Step read(std::span<char> into) override {
    std::size_t bytes = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(session_.get(), into.data(), into.size(), &bytes);
    return step(result, bytes);
  }
  bool has_unread() const override { return SSL_pending(session_.get()) > 0; }
  Step write(std::string_view bytes) override {
    std::size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
    return step(result, written);
  }
  void end_writing() override {
    ERR_clear_error();
    if (!broken_) SSL_shutdown(session_.get());
    ERR_clear_error();
    shutdown(socket_, SHUT_WR);
  }
  std::string client_certificate() const override {
    const Certificate certificate(SSL_get1_peer_certificate(session_.get()));
    if (!certificate || SSL_get_verify_result(session_.get()) != X509_V_OK) return {};
    const Bio out(BIO_new(BIO_s_mem()));
    if (!out || PEM_write_bio_X509(out.get(), certificate.get()) != 1) return {};
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(std::max(size, 0L))};
  }

 private:
  Step step(int result, std::size_t bytes) {
    if (result == 1) return {Step::Kind::done, bytes};
    switch (SSL_get_error(session_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return {Step::Kind::wants_read, 0};
      case SSL_ERROR_WANT_WRITE:
        return {Step::Kind::wants_write, 0};
      case SSL_ERROR_ZERO_RETURN:
        return {Step::Kind::closed, 0};
      default:
        // After such an error nothing may be asked of the session, not even to shut down.
        broken_ = true;
        return {Step::Kind::failed, 0};
    }
  }

  Session session_;
  int socket_;
  bool broken_ = false;
};

class OpenSslContext final : public TlsContext {
 public:
  explicit OpenSslContext(Context context) : context_(std::move(context)) {}

  std::unique_ptr<Stream> stream(int socket) const override {
    Session session(SSL_new(context_.get()));
    if (!session || SSL_set_fd(session.get(), socket) != 1) return nullptr;
    SSL_set_accept_state(session.get());
    return std::make_unique<TlsStream>(std::move(session), socket);
  }

 private:
  Context context_;
};

Result<> set_policy(SSL_CTX* context) {
  static constexpr unsigned char session_context[] = "tenken";
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Released buffers: an idle connection holds no record buffers (34 KiB less).
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
      SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") != 1 ||
      SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) != 1)
    return openssl_error("TLS");
  // The tickets carry the session: any thread resumes it, and nothing is kept for clients that
  // never come back.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_http_1_1, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
  return {};
}

Result<> ask_for_client_certificate(SSL_CTX* context, const std::string& authorities) {
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(authorities.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, authorities.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return openssl_error(authorities);
  }
  SSL_CTX_set_client_CA_list(context, names);  // which owns the list
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files) {
  // OpenSSL's errors do not say which file is missing or may not be read.
  for (const auto* path : {&files.certificate, &files.key, &files.client_ca})
    if (!path->empty()) TRY_VOID(read_file(*path, largest_file));
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return openssl_error("TLS");
  TRY_VOID(set_policy(context.get()));
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1)
    return openssl_error(files.certificate);
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1)
    return openssl_error(files.key);
  if (!files.client_ca.empty())
    TRY_VOID(ask_for_client_certificate(context.get(), files.client_ca));
  return std::make_shared<const OpenSslContext>(std::move(context));
}

}  // namespace tenken::http
