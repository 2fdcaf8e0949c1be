// OpenSSL as a library that is loaded; openssl_linked.cpp stands in its place in static programs.
#include <cstdarg>
#include <tuple>

#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "crypto/openssl.h"

namespace tenken::crypto {
namespace {

// Brings libcrypto.so.3 with it. Never unloaded: OpenSSL leaves handlers for the end of the
// process.
void* library() {
  static void* const loaded = ::dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
  return loaded;
}

// The library's function behind the one of the same name below.
template <typename Function>
Function* loaded(const char* symbol) {
  void* const found = ::dlsym(library(), symbol);
  CHECK(found != nullptr);  // OpenSSL 3.0 has had them all
  return reinterpret_cast<Function*>(found);
}

template <typename Function>
struct Signature;
template <typename Returned, typename... Arguments>
struct Signature<Returned(Arguments...)> {
  using Result = Returned;
  template <std::size_t index>
  using Argument = std::tuple_element_t<index, std::tuple<Arguments...>>;
};

}  // namespace

Result<> load_openssl() {
  if (library() != nullptr) return {};
  return unavailable(
      "libssl.so.3 is not installed, which TLS and signatures need (Debian and Ubuntu: libssl3; "
      "Fedora and RHEL: openssl-libs; SUSE: libopenssl3; Alpine: libssl3)");
}

}  // namespace tenken::crypto

// Each function that is used here hands its arguments to the library's own; the headers of OpenSSL
// say which they are.
#define RESULT(function) tenken::crypto::Signature<decltype(function)>::Result
#define ARGUMENT(function, index) tenken::crypto::Signature<decltype(function)>::Argument<index>
#define FORWARD(function, ...)                                                          \
  static auto* const forwarded = tenken::crypto::loaded<decltype(function)>(#function); \
  return forwarded(__VA_ARGS__)

#define FORWARD_0(f) \
  RESULT(f) f() {    \
    FORWARD(f);      \
  }
#define FORWARD_1(f)              \
  RESULT(f) f(ARGUMENT(f, 0) a) { \
    FORWARD(f, a);                \
  }
#define FORWARD_2(f)                                \
  RESULT(f) f(ARGUMENT(f, 0) a, ARGUMENT(f, 1) b) { \
    FORWARD(f, a, b);                               \
  }
#define FORWARD_3(f)                                                  \
  RESULT(f) f(ARGUMENT(f, 0) a, ARGUMENT(f, 1) b, ARGUMENT(f, 2) c) { \
    FORWARD(f, a, b, c);                                              \
  }
#define FORWARD_4(f)                                                          \
  RESULT(f)                                                                   \
  f(ARGUMENT(f, 0) a, ARGUMENT(f, 1) b, ARGUMENT(f, 2) c, ARGUMENT(f, 3) d) { \
    FORWARD(f, a, b, c, d);                                                   \
  }
#define FORWARD_5(f)                                                                            \
  RESULT(f)                                                                                     \
  f(ARGUMENT(f, 0) a, ARGUMENT(f, 1) b, ARGUMENT(f, 2) c, ARGUMENT(f, 3) d, ARGUMENT(f, 4) e) { \
    FORWARD(f, a, b, c, d, e);                                                                  \
  }
#define FORWARD_6(f)                                                                          \
  RESULT(f)                                                                                   \
  f(ARGUMENT(f, 0) a, ARGUMENT(f, 1) b, ARGUMENT(f, 2) c, ARGUMENT(f, 3) d, ARGUMENT(f, 4) e, \
    ARGUMENT(f, 5) g) {                                                                       \
    FORWARD(f, a, b, c, d, e, g);                                                             \
  }
#define FORWARD_7(f)                                                                          \
  RESULT(f)                                                                                   \
  f(ARGUMENT(f, 0) a, ARGUMENT(f, 1) b, ARGUMENT(f, 2) c, ARGUMENT(f, 3) d, ARGUMENT(f, 4) e, \
    ARGUMENT(f, 5) g, ARGUMENT(f, 6) h) {                                                     \
    FORWARD(f, a, b, c, d, e, g, h);                                                          \
  }

extern "C" {

FORWARD_1(ASN1_IA5STRING_free)
FORWARD_0(ASN1_IA5STRING_new)
FORWARD_1(ASN1_STRING_get0_data)
FORWARD_1(ASN1_STRING_length)
FORWARD_3(ASN1_STRING_set)
FORWARD_2(ASN1_TIME_set)
FORWARD_2(ASN1_TIME_to_tm)
FORWARD_4(BIO_ctrl)
FORWARD_1(BIO_free)
FORWARD_1(BIO_new)
FORWARD_2(BIO_new_mem_buf)
FORWARD_0(BIO_s_mem)
FORWARD_3(BN_bin2bn)
FORWARD_1(BN_free)
FORWARD_2(BN_to_ASN1_INTEGER)
FORWARD_3(CRYPTO_memcmp)
FORWARD_0(ERR_clear_error)
FORWARD_0(ERR_get_error)
FORWARD_0(ERR_peek_error)
FORWARD_1(ERR_reason_error_string)
FORWARD_4(EVP_CIPHER_CTX_ctrl)
FORWARD_1(EVP_CIPHER_CTX_free)
FORWARD_0(EVP_CIPHER_CTX_new)
FORWARD_3(EVP_CIPHER_fetch)
FORWARD_3(EVP_CipherFinal_ex)
FORWARD_6(EVP_CipherInit_ex)
FORWARD_5(EVP_CipherUpdate)
FORWARD_3(EVP_DigestFinal_ex)
FORWARD_3(EVP_DigestInit_ex)
FORWARD_5(EVP_DigestSign)
FORWARD_5(EVP_DigestSignInit)
FORWARD_3(EVP_DigestUpdate)
FORWARD_5(EVP_DigestVerify)
FORWARD_5(EVP_DigestVerifyInit)
FORWARD_1(EVP_MD_CTX_free)
FORWARD_0(EVP_MD_CTX_new)
FORWARD_3(EVP_MD_fetch)
FORWARD_1(EVP_PKEY_free)
FORWARD_1(EVP_PKEY_get_bits)
FORWARD_3(EVP_PKEY_get_raw_public_key)
FORWARD_2(EVP_PKEY_is_a)
FORWARD_4(EVP_PKEY_new_raw_private_key)
FORWARD_4(EVP_PKEY_new_raw_public_key)
FORWARD_0(EVP_sha256)
FORWARD_1(GENERAL_NAMES_free)
FORWARD_0(GENERAL_NAMES_new)
FORWARD_1(GENERAL_NAME_free)
FORWARD_0(GENERAL_NAME_new)
FORWARD_3(GENERAL_NAME_set0_value)
FORWARD_2(OPENSSL_cleanse)
FORWARD_1(OPENSSL_sk_num)
FORWARD_2(OPENSSL_sk_pop_free)
FORWARD_2(OPENSSL_sk_push)
FORWARD_2(OPENSSL_sk_value)
FORWARD_4(PEM_read_bio_PrivateKey)
FORWARD_4(PEM_read_bio_X509)
FORWARD_4(PEM_read_bio_X509_REQ)
FORWARD_7(PEM_write_bio_PKCS8PrivateKey)
FORWARD_2(PEM_write_bio_X509)
FORWARD_2(PEM_write_bio_X509_REQ)
FORWARD_2(RAND_bytes)
FORWARD_1(SSL_CTX_check_private_key)
FORWARD_4(SSL_CTX_ctrl)
FORWARD_1(SSL_CTX_free)
FORWARD_2(SSL_CTX_load_verify_file)
FORWARD_1(SSL_CTX_new)
FORWARD_3(SSL_CTX_set_alpn_protos)
FORWARD_3(SSL_CTX_set_alpn_select_cb)
FORWARD_2(SSL_CTX_set_cipher_list)
FORWARD_2(SSL_CTX_set_client_CA_list)
FORWARD_2(SSL_CTX_set_default_passwd_cb)
FORWARD_2(SSL_CTX_set_num_tickets)
FORWARD_2(SSL_CTX_set_options)
FORWARD_3(SSL_CTX_set_session_id_context)
FORWARD_3(SSL_CTX_set_verify)
FORWARD_3(SSL_CTX_use_PrivateKey_file)
FORWARD_2(SSL_CTX_use_certificate_chain_file)
FORWARD_1(SSL_accept)
FORWARD_1(SSL_connect)
FORWARD_4(SSL_ctrl)
FORWARD_1(SSL_free)
FORWARD_1(SSL_get0_param)
FORWARD_1(SSL_get1_peer_certificate)
FORWARD_2(SSL_get_error)
FORWARD_1(SSL_get_verify_result)
FORWARD_1(SSL_load_client_CA_file)
FORWARD_1(SSL_new)
FORWARD_1(SSL_pending)
FORWARD_4(SSL_read_ex)
FORWARD_6(SSL_select_next_proto)
FORWARD_2(SSL_set1_host)
FORWARD_1(SSL_set_accept_state)
FORWARD_1(SSL_set_connect_state)
FORWARD_2(SSL_set_fd)
FORWARD_2(SSL_set_hostflags)
FORWARD_1(SSL_shutdown)
FORWARD_4(SSL_write_ex)
FORWARD_0(TLS_client_method)
FORWARD_0(TLS_server_method)
FORWARD_4(X509V3_EXT_conf_nid)
FORWARD_6(X509V3_set_ctx)
FORWARD_1(X509_EXTENSION_free)
FORWARD_7(X509_NAME_add_entry_by_NID)
FORWARD_1(X509_NAME_free)
FORWARD_4(X509_NAME_print_ex)
FORWARD_1(X509_REQ_free)
FORWARD_1(X509_REQ_get0_pubkey)
FORWARD_0(X509_REQ_new)
FORWARD_2(X509_REQ_set_pubkey)
FORWARD_2(X509_REQ_set_version)
FORWARD_3(X509_REQ_sign)
FORWARD_2(X509_REQ_verify)
FORWARD_2(X509_VERIFY_PARAM_set1_ip_asc)
FORWARD_2(X509_VERIFY_PARAM_set_flags)
FORWARD_5(X509_add1_ext_i2d)
FORWARD_3(X509_add_ext)
FORWARD_1(X509_check_ca)
FORWARD_2(X509_check_private_key)
FORWARD_4(X509_digest)
FORWARD_1(X509_free)
FORWARD_1(X509_get0_notAfter)
FORWARD_1(X509_get0_notBefore)
FORWARD_1(X509_get0_pubkey)
FORWARD_4(X509_get_ext_d2i)
FORWARD_1(X509_get_serialNumber)
FORWARD_1(X509_get_subject_name)
FORWARD_1(X509_getm_notAfter)
FORWARD_1(X509_getm_notBefore)
FORWARD_0(X509_new)
FORWARD_2(X509_set_issuer_name)
FORWARD_2(X509_set_pubkey)
FORWARD_2(X509_set_version)
FORWARD_3(X509_sign)
FORWARD_2(X509_verify)
FORWARD_1(X509_verify_cert_error_string)
FORWARD_1(a2i_IPADDRESS)

// Variadic: of the one type of key that is made here, the curve's name follows.
EVP_PKEY* EVP_PKEY_Q_keygen(OSSL_LIB_CTX* context, const char* properties, const char* type, ...) {
  std::va_list rest;
  va_start(rest, type);
  const char* const curve = va_arg(rest, const char*);
  va_end(rest);
  FORWARD(EVP_PKEY_Q_keygen, context, properties, type, curve);
}

}  // extern "C"
