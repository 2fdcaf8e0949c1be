#include "crypto/x509.h"

#include <gtest/gtest.h>

#include "crypto/ed25519.h"
#include "crypto/encode.h"

namespace tenken::crypto {
namespace {

constexpr Seconds noon = 1'790'000'000;  // 2026-09-21

Identity authority() {
  auto made = make_ca("tenken CA", noon);
  EXPECT_TRUE(made.has_value());
  return *std::move(made);
}

TEST(X509, an_authority_signs_and_lives_ten_years) {
  const auto ca = authority();
  const auto facts = certificate_facts(ca.certificate);
  ASSERT_TRUE(facts.has_value()) << facts.error().what;
  EXPECT_EQ(facts->subject, "CN=tenken CA");
  EXPECT_TRUE(facts->is_ca);
  EXPECT_TRUE(facts->names.empty());
  EXPECT_EQ(facts->not_before, noon - 48 * 3600);
  EXPECT_EQ(facts->not_after, noon - 48 * 3600 + 3652 * Seconds{86'400});
  EXPECT_EQ(*key_matches(ca.certificate, ca.key), true);
}

TEST(X509, a_server_certificate_names_hosts_and_addresses) {
  const auto ca = authority();
  const std::vector<std::string> names{"localhost", "*.example.com", "127.0.0.1", "::1"};
  const auto server = issue_server_certificate(ca, names, noon);
  ASSERT_TRUE(server.has_value()) << server.error().what;
  const auto facts = certificate_facts(server->certificate);
  ASSERT_TRUE(facts.has_value()) << facts.error().what;
  EXPECT_EQ(facts->names, names);
  EXPECT_EQ(facts->subject, "CN=localhost");
  EXPECT_FALSE(facts->is_ca);
  EXPECT_EQ(facts->not_before, noon - 48 * 3600);
  EXPECT_LE(facts->not_after - facts->not_before, 397 * Seconds{86'400});
  EXPECT_EQ(*key_matches(server->certificate, server->key), true);
  EXPECT_EQ(*key_matches(server->certificate, ca.key), false);
}

TEST(X509, a_certificate_ends_with_its_authority) {
  const auto ca = authority();
  const Seconds end = certificate_facts(ca.certificate)->not_after;
  const std::vector<std::string> names{std::string(60, 'a') + ".example.com"};
  const auto late = issue_server_certificate(ca, names, end - 86'400);
  ASSERT_TRUE(late.has_value()) << late.error().what;
  EXPECT_EQ(certificate_facts(late->certificate)->not_after, end);
  EXPECT_EQ(certificate_facts(late->certificate)->subject, "CN=tenken");
  EXPECT_EQ(issue_server_certificate(ca, names, end + 1).error().code, Errc::invalid);
}

TEST(X509, names_no_certificate_can_carry_are_refused) {
  const auto ca = authority();
  for (const std::string bad :
       {"", "a..b", "a b", "a,DNS:evil.example", "1.2.3.4/8", ".", "*", "exämple.com"}) {
    const std::vector<std::string> names{bad};
    EXPECT_EQ(issue_server_certificate(ca, names, noon).error().code, Errc::invalid) << bad;
  }
  EXPECT_EQ(issue_server_certificate(ca, {}, noon).error().code, Errc::invalid);
  EXPECT_EQ(make_ca("", noon).error().code, Errc::invalid);
  EXPECT_EQ(make_ca(std::string(65, 'x'), noon).error().code, Errc::invalid);
}

TEST(X509, what_is_no_pem_is_an_error) {
  const auto ca = authority();
  EXPECT_EQ(certificate_facts("").error().code, Errc::invalid);
  EXPECT_EQ(certificate_facts(ca.key).error().code, Errc::invalid);
  EXPECT_EQ(certificate_facts(std::string(2 << 20, 'a')).error().code, Errc::limit);
  EXPECT_EQ(key_matches(ca.certificate, "-----BEGIN PRIVATE KEY-----\n").error().code,
            Errc::invalid);
  auto cut = ca.certificate;
  cut.erase(cut.size() / 2, 4);
  EXPECT_EQ(certificate_facts(cut).error().code, Errc::invalid);
}

TEST(X509, a_fingerprint_is_that_of_the_certificates_facts) {
  const auto ca = authority();
  EXPECT_EQ(certificate_fingerprint(ca.certificate).value(),
            certificate_facts(ca.certificate)->fingerprint);
  EXPECT_EQ(certificate_fingerprint("").error().code, Errc::invalid);
  EXPECT_EQ(certificate_fingerprint(ca.key).error().code, Errc::invalid);
  auto cut = ca.certificate;
  cut.erase(cut.size() / 2, 3);
  EXPECT_EQ(certificate_fingerprint(cut).error().code, Errc::invalid);
}

TEST(X509, a_certificate_tells_its_authority_from_another_of_the_same_name) {
  const auto ca = authority();
  const std::vector<std::string> names{"localhost"};
  const auto server = issue_server_certificate(ca, names, noon);
  ASSERT_TRUE(server.has_value());
  EXPECT_EQ(*is_signed_by(server->certificate, ca.certificate), true);
  EXPECT_EQ(*is_signed_by(server->certificate, authority().certificate), false);
  EXPECT_FALSE(is_signed_by(server->certificate, "").has_value());
}

TEST(X509, serial_numbers_differ) {
  EXPECT_NE(authority().certificate, authority().certificate);
}

TEST(X509, a_client_gets_a_certificate_for_the_key_it_proves) {
  const auto ca = authority();
  const auto key = make_key();
  ASSERT_TRUE(key) << key.error().what;
  const auto request = make_certificate_request(*key);
  ASSERT_TRUE(request) << request.error().what;
  const auto issued = issue_client_certificate(ca, *request, "agent-1", 30 * Seconds{86'400}, noon);
  ASSERT_TRUE(issued) << issued.error().what;
  EXPECT_EQ(*key_matches(*issued, *key), true);
  EXPECT_EQ(*is_signed_by(*issued, ca.certificate), true);
  const auto facts = certificate_facts(*issued);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->subject, "CN=agent-1");
  EXPECT_EQ(facts->not_before, noon - certificate_back_date);
  EXPECT_EQ(facts->not_after, noon + 30 * Seconds{86'400});
  EXPECT_EQ(facts->fingerprint.size(), 64u);
  EXPECT_NE(facts->fingerprint, certificate_facts(ca.certificate)->fingerprint);
}

TEST(X509, a_request_that_proves_nothing_is_refused) {
  const auto ca = authority();
  const auto request = make_certificate_request(*make_key());
  ASSERT_TRUE(request);
  auto changed = *request;
  const auto at = changed.size() / 2;
  changed[at] = changed[at] == 'A' ? 'B' : 'A';
  for (const auto& bad : {std::string(), std::string("nonsense"), changed, ca.certificate})
    EXPECT_EQ(issue_client_certificate(ca, bad, "a", 1, noon).error().code, Errc::invalid);
  for (const auto& name : {std::string(), std::string(65, 'a')})
    EXPECT_EQ(issue_client_certificate(ca, *request, name, 1, noon).error().code, Errc::invalid);
}

// RFC 8032 section 7.1, test 3.
TEST(Ed25519, signs_as_the_specification_says) {
  const Secret seed(*from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"));
  const auto bytes = *from_hex("af82");
  EXPECT_EQ(to_hex(*ed25519_public_key(seed)),
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  const auto signature = ed25519_sign(seed, bytes);
  ASSERT_TRUE(signature) << signature.error().what;
  EXPECT_EQ(to_hex(*signature),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
  EXPECT_TRUE(ed25519_verify(*ed25519_public_key(seed), bytes, *signature));
  EXPECT_FALSE(ed25519_verify(*ed25519_public_key(seed), "other", *signature));
  EXPECT_FALSE(ed25519_verify(*ed25519_public_key(seed), bytes, signature->substr(1)));
  EXPECT_FALSE(ed25519_verify("short", bytes, *signature));
  EXPECT_FALSE(ed25519_sign(Secret(std::string_view("short")), bytes));
}

}  // namespace
}  // namespace tenken::crypto
