#include "crypto/x509.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <tuple>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"

namespace tenken::crypto {
namespace {

constexpr std::size_t longest_pem = std::size_t{1} << 20;
constexpr std::size_t longest_common_name = 64;  // RFC 5280 appendix A, ub-common-name
constexpr std::size_t longest_dns_name = 253;
constexpr Seconds day = 86'400;
constexpr Seconds ca_lifetime = 3652 * day;
constexpr Seconds server_lifetime = 397 * day;

using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Freed<X509_REQ_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using Name = std::unique_ptr<GENERAL_NAME, Freed<GENERAL_NAME_free>>;

Result<Bio> reading(std::string_view pem) {
  if (pem.size() > longest_pem) return limit_exceeded("PEM: more than 1 MiB");
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return openssl_error(Errc::internal, "PEM");
  return bio;
}

Result<Certificate> read_certificate(std::string_view pem) {
  TRY(const auto bio, reading(pem));
  Certificate out(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!out) return openssl_error(Errc::invalid, "certificate");
  return out;
}

Result<Key> read_key(std::string_view pem) {
  TRY(const auto bio, reading(pem));
  Key out(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  if (!out) return openssl_error(Errc::invalid, "private key");
  return out;
}

Result<Request> read_request(std::string_view pem) {
  TRY(const auto bio, reading(pem));
  Request out(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  if (!out) return openssl_error(Errc::invalid, "certificate request");
  return out;
}

Result<std::string> text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  if (size <= 0) return openssl_error(Errc::internal, "PEM");
  return std::string(data, static_cast<std::size_t>(size));
}

Result<std::string> written(X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_X509(out.get(), certificate) != 1)
    return openssl_error(Errc::internal, "writing PEM");
  return text_of(out);
}

Result<std::string> written(EVP_PKEY* key) {
  const Bio out(BIO_new(BIO_s_mem()));
  if (!out ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_error(Errc::internal, "writing PEM");
  return text_of(out);
}

Result<> add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
    return openssl_error(Errc::internal, "certificate extension");
  return {};
}

bool set_random_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes.front() |= 0x40U;  // never zero, and of one length
  const Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

Result<Key> new_key() {
  Key out(EVP_EC_gen("P-256"));
  if (!out) return openssl_error(Errc::internal, "new key");
  return out;
}

// What all kinds have in common: version 3, key, serial, subject and validity.
Result<Certificate> new_certificate(EVP_PKEY* key, std::string_view common_name, Seconds not_before,
                                    Seconds not_after) {
  Certificate out(X509_new());
  X509* certificate = out.get();
  if (!out || X509_set_version(certificate, X509_VERSION_3) != 1 ||
      !set_random_serial(certificate) || X509_set_pubkey(certificate, key) != 1 ||
      ASN1_TIME_set(X509_getm_notBefore(certificate), not_before) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), not_after) == nullptr)
    return openssl_error(Errc::internal, "new certificate");
  X509_NAME* subject = X509_get_subject_name(certificate);
  if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.data()),
                                 static_cast<int>(common_name.size()), -1, 0) != 1)
    return openssl_error(Errc::invalid, "common name");
  return out;
}

Result<std::string> signed_by(X509* issuer, EVP_PKEY* issuer_key, X509* certificate) {
  // A certificate knows its issuer by that one's key: the identifier comes after the subject's own.
  TRY_VOID(add_extension(certificate, issuer, NID_subject_key_identifier, "hash"));
  TRY_VOID(add_extension(certificate, issuer, NID_authority_key_identifier, "keyid"));
  if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1 ||
      X509_sign(certificate, issuer_key, EVP_sha256()) == 0)
    return openssl_error(Errc::internal, "signing a certificate");
  return written(certificate);
}

bool is_dns_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.empty() || name.size() > longest_dns_name) return false;
  return std::ranges::all_of(split(name, '.'), [](std::string_view label) {
    return !label.empty() && label.size() <= 63 &&
           std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
  });
}

Result<Name> general_name(const std::string& text) {
  Name out(GENERAL_NAME_new());
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str());
  ERR_clear_error();
  if (address != nullptr) {
    GENERAL_NAME_set0_value(out.get(), GEN_IPADD, address);
    return out;
  }
  if (!is_dns_name(text))
    return invalid(fmt::format("\"{}\" is neither a DNS name nor an IP address", printable(text)));
  ASN1_IA5STRING* name = ASN1_IA5STRING_new();
  if (name == nullptr || ASN1_STRING_set(name, text.data(), static_cast<int>(text.size())) != 1) {
    ASN1_IA5STRING_free(name);
    return openssl_error(Errc::internal, "alternative name");
  }
  GENERAL_NAME_set0_value(out.get(), GEN_DNS, name);
  return out;
}

// Built as values: the text form of OpenSSL's configuration would read commas in a name.
Result<> add_alternative_names(X509* certificate, std::span<const std::string> names) {
  const Names list(GENERAL_NAMES_new());
  for (const auto& text : names) {
    TRY(auto name, general_name(text));
    if (sk_GENERAL_NAME_push(list.get(), name.get()) == 0)
      return openssl_error(Errc::internal, "alternative names");
    std::ignore = name.release();  // the list owns it
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) != 1)
    return openssl_error(Errc::internal, "alternative names");
  return {};
}

Result<Seconds> seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return openssl_error(Errc::invalid, "certificate's time");
  return Seconds{timegm(&parts)};
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(address);
  if (size != 4 && size != 16) return {};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text.data(),
            text.size());
  return text.data();
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> out;
  const Names list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_DNS)
      out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (name->type == GEN_IPADD) out.push_back(address_text(name->d.iPAddress));
  }
  return out;
}

struct Issuer {
  Certificate certificate;
  Key key;
  Seconds end = 0;
};
Result<Issuer> read_issuer(const Identity& ca, Seconds now) {
  Issuer out;
  TRY(out.certificate, read_certificate(ca.certificate));
  TRY(out.key, read_key(ca.key));
  if (X509_check_private_key(out.certificate.get(), out.key.get()) != 1)
    return openssl_error(Errc::invalid, "the authority's certificate and key");
  TRY(out.end, seconds_of(X509_get0_notAfter(out.certificate.get())));
  if (out.end <= now) return invalid("the authority's certificate has expired");
  return out;
}

// A certificate of an end, not of an authority, for one use: "serverAuth", "clientAuth".
Result<> add_end_extensions(X509* certificate, const Issuer& issuer, const char* use) {
  X509* authority = issuer.certificate.get();
  TRY_VOID(add_extension(certificate, authority, NID_basic_constraints, "critical,CA:FALSE"));
  TRY_VOID(add_extension(certificate, authority, NID_key_usage, "critical,digitalSignature"));
  return add_extension(certificate, authority, NID_ext_key_usage, use);
}

Result<std::string> fingerprint_of(const X509* certificate) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1 || size != digest.size())
    return openssl_error(Errc::internal, "fingerprint");
  return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

Result<Identity> make_ca(std::string_view common_name, Seconds now) {
  if (common_name.empty() || common_name.size() > longest_common_name)
    return invalid("common name of the authority: 1 to 64 bytes");
  const Seconds from = now - certificate_back_date;
  TRY(const auto key, new_key());
  TRY(const auto made, new_certificate(key.get(), common_name, from, from + ca_lifetime));
  X509* certificate = made.get();
  TRY_VOID(
      add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TRY_VOID(add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY(auto text, signed_by(certificate, key.get(), certificate));
  TRY(auto key_text, written(key.get()));
  return Identity{std::move(text), std::move(key_text)};
}

Result<Identity> issue_server_certificate(const Identity& ca, std::span<const std::string> names,
                                          Seconds now) {
  if (names.empty()) return invalid("a server certificate needs a name");
  TRY(const auto issuer, read_issuer(ca, now));
  const Seconds from = now - certificate_back_date;
  const std::string_view common_name =
      names.front().size() <= longest_common_name ? std::string_view(names.front()) : "tenken";
  TRY(const auto key, new_key());
  TRY(const auto made,
      new_certificate(key.get(), common_name, from, std::min(from + server_lifetime, issuer.end)));
  TRY_VOID(add_end_extensions(made.get(), issuer, "serverAuth"));
  TRY_VOID(add_alternative_names(made.get(), names));
  TRY(auto text, signed_by(issuer.certificate.get(), issuer.key.get(), made.get()));
  TRY(auto key_text, written(key.get()));
  return Identity{std::move(text), std::move(key_text)};
}

Result<std::string> make_key() {
  TRY(const auto key, new_key());
  return written(key.get());
}

Result<std::string> make_certificate_request(std::string_view key_pem) {
  TRY(const auto key, read_key(key_pem));
  const Request request(X509_REQ_new());
  const Bio out(BIO_new(BIO_s_mem()));
  if (!request || !out || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0 ||
      PEM_write_bio_X509_REQ(out.get(), request.get()) != 1)
    return openssl_error(Errc::internal, "certificate request");
  return text_of(out);
}

Result<std::string> issue_client_certificate(const Identity& ca, std::string_view request_pem,
                                             std::string_view common_name, Seconds lifetime,
                                             Seconds now) {
  if (common_name.empty() || common_name.size() > longest_common_name)
    return invalid("common name of a client: 1 to 64 bytes");
  TRY(const auto issuer, read_issuer(ca, now));
  TRY(const auto request, read_request(request_pem));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || EVP_PKEY_is_a(key, "EC") != 1 || EVP_PKEY_get_bits(key) != 256 ||
      X509_REQ_verify(request.get(), key) != 1)
    return openssl_error(Errc::invalid, "certificate request: no proof of a key on P-256");
  TRY(const auto made, new_certificate(key, common_name, now - certificate_back_date,
                                       std::min(now + lifetime, issuer.end)));
  TRY_VOID(add_end_extensions(made.get(), issuer, "clientAuth"));
  return signed_by(issuer.certificate.get(), issuer.key.get(), made.get());
}

Result<CertificateFacts> certificate_facts(std::string_view certificate_pem) {
  TRY(const auto certificate, read_certificate(certificate_pem));
  CertificateFacts out;
  const Bio subject(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(subject.get(), X509_get_subject_name(certificate.get()), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(subject.get(), &data);
  if (size > 0) out.subject.assign(data, static_cast<std::size_t>(size));
  out.names = alternative_names(certificate.get());
  TRY(out.fingerprint, fingerprint_of(certificate.get()));
  TRY(out.not_before, seconds_of(X509_get0_notBefore(certificate.get())));
  TRY(out.not_after, seconds_of(X509_get0_notAfter(certificate.get())));
  out.is_ca = X509_check_ca(certificate.get()) == 1;
  ERR_clear_error();
  return out;
}

Result<std::string> certificate_fingerprint(std::string_view certificate_pem) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----\n";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  if (!certificate_pem.starts_with(begin)) return invalid("certificate: no PEM");
  certificate_pem.remove_prefix(begin.size());
  std::string base64(certificate_pem.substr(0, certificate_pem.find(end)));
  std::erase(base64, '\n');
  TRY(const auto der, from_base64(base64).within("certificate"));
  return to_hex(view(sha256(der)));
}

Result<bool> key_matches(std::string_view certificate_pem, std::string_view key_pem) {
  TRY(const auto certificate, read_certificate(certificate_pem));
  TRY(const auto key, read_key(key_pem));
  const bool matches = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return matches;
}

Result<bool> is_signed_by(std::string_view certificate_pem, std::string_view ca_pem) {
  TRY(const auto certificate, read_certificate(certificate_pem));
  TRY(const auto ca, read_certificate(ca_pem));
  EVP_PKEY* key = X509_get0_pubkey(ca.get());
  const bool is = key != nullptr && X509_verify(certificate.get(), key) == 1;
  ERR_clear_error();
  return is;
}

}  // namespace tenken::crypto
