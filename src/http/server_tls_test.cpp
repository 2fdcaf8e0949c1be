#include <thread>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/time.h"
#include "crypto/x509.h"
#include "http/server.h"
#include "http/test_client.h"
#include "support/scratch.h"

namespace tenken::http {
namespace {

using test::Client;
using test::ClientTls;
using test::get;

Response echo(const Request& request) {
  return {.status = 200, .body = request.target + request.client_certificate};
}

std::string drained(BIO* bio) {
  char* data = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio, &data));
  std::string out(data, size);
  BIO_free(bio);
  return out;
}

// A client's certificate that is its own authority.
crypto::Identity self_signed() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* certificate_out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_out, certificate);
  BIO* key_out = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_out, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {drained(certificate_out), drained(key_out)};
}

// A server with its own authority, whose files lie in a folder of the test's.
class TlsServer : public ::testing::Test {
 protected:
  void SetUp() override {
    authority_ = *crypto::make_ca("test CA", now());
    write("ca.pem", authority_.certificate);
    put_server_certificate();
    options_.handler = echo;
    options_.tls = {.certificate = path("server.pem"), .key = path("server.key")};
  }
  void start() {
    auto started = Server::start(options_);
    ASSERT_TRUE(started.has_value()) << started.error().what;
    server_ = *std::move(started);
  }
  std::string path(std::string_view name) { return scratch_ / name; }
  void write(std::string_view name, std::string_view text) { scratch_.write(name, text); }
  void put_server_certificate() {
    const std::vector<std::string> names{"localhost", "127.0.0.1"};
    const auto made = *crypto::issue_server_certificate(authority_, names, now());
    write("server.pem", made.certificate);
    write("server.key", made.key);
  }
  std::uint16_t port() { return server_->port(); }

  tenken::test::Scratch scratch_;
  crypto::Identity authority_;
  Options options_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsServer, is_trusted_through_its_own_authority) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Client client(port(), {.ca = path("ca.pem"), .highest_version = version});
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(SSL_version(client.ssl()), version);
    EXPECT_EQ(test::body_of(client.ask(get("/x"))), "/x");
    EXPECT_EQ(test::body_of(client.ask(get("/y"))), "/y");
  }
  Client old(port(), {.highest_version = TLS1_1_VERSION});
  EXPECT_FALSE(old.connected());
}

TEST_F(TlsServer, resumes_sessions) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const ClientTls tls{.highest_version = version};
    Client first(port(), tls);
    EXPECT_EQ(test::status_of(first.ask(get("/"))), 200);
    SSL_SESSION* session = SSL_get1_session(first.ssl());
    auto again = tls;
    again.resume = session;
    Client second(port(), again);
    EXPECT_EQ(test::status_of(second.ask(get("/"))), 200);
    EXPECT_EQ(SSL_session_reused(second.ssl()), 1) << version;
    SSL_SESSION_free(session);
  }
}

TEST_F(TlsServer, speaks_http_1_1_where_protocols_are_offered) {
  start();
  Client both(port(), {.alpn = "\x02h2\x08http/1.1"});
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(both.ssl(), &chosen, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  Client other(port(), {.alpn = "\x02h2"});
  EXPECT_FALSE(other.connected());
}

TEST_F(TlsServer, what_tls_has_read_ahead_of_a_held_request_is_noticed) {
  options_.handler = [](const Request& request) {
    Response out{.body = request.held ? "held" : "at once"};
    if (request.target == "/hold") out.hold = Hold{.key = "k", .milliseconds = 60'000};
    return out;
  };
  start();
  Client client(port(), {.ca = path("ca.pem")});
  // The body's record has the next request in it.
  client.send("POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n");
  client.send("b" + get("/x"));
  EXPECT_EQ(test::body_of(client.response()), "held");
  EXPECT_EQ(test::body_of(client.response()), "at once");
}

TEST_F(TlsServer, tells_a_plain_client_that_it_speaks_tls) {
  start();
  Client client(port());
  const auto response = client.ask(get("/"));
  EXPECT_EQ(test::status_of(response), 400);
  EXPECT_TRUE(response.contains("this port speaks TLS")) << response;
  EXPECT_TRUE(client.closed_within(5000));
}

TEST_F(TlsServer, closes_a_handshake_that_takes_too_long) {
  options_.limits.handshake_ms = 200;
  start();
  Client silent(port());
  Client half(port());
  half.send("\x16\x03\x01\x02");
  Client garbage(port());
  garbage.send("\x01\x02\x03");
  EXPECT_TRUE(silent.closed_within(3000));
  EXPECT_TRUE(half.closed_within(3000));
  EXPECT_TRUE(garbage.closed_within(3000));
}

TEST_F(TlsServer, hands_over_a_client_certificate_of_its_authority) {
  const auto client = self_signed();
  write("client.pem", client.certificate);
  write("client.key", client.key);
  const auto stranger = self_signed();
  write("stranger.pem", stranger.certificate);
  write("stranger.key", stranger.key);
  options_.tls.client_ca = path("client.pem");
  start();
  Client known(port(), {.certificate = path("client.pem"), .key = path("client.key")});
  EXPECT_EQ(test::body_of(known.ask(get("/"))), "/" + client.certificate);
  Client without(port(), {});
  EXPECT_EQ(test::body_of(without.ask(get("/"))), "/");
  Client unknown(port(), {.certificate = path("stranger.pem"), .key = path("stranger.key")});
  EXPECT_EQ(unknown.ask(get("/")), "");
}

TEST_F(TlsServer, reloads_its_certificate_for_new_connections) {
  start();
  Client before(port(), {.ca = path("ca.pem")});
  authority_ = *crypto::make_ca("second CA", now());
  write("ca2.pem", authority_.certificate);
  put_server_certificate();
  ASSERT_TRUE(server_->reload_tls().has_value());
  Client after(port(), {.ca = path("ca2.pem")});
  EXPECT_TRUE(after.connected());
  EXPECT_EQ(test::body_of(before.ask(get("/old"))), "/old");
  EXPECT_FALSE(Client(port(), {.ca = path("ca.pem")}).connected());

  write("server.key", authority_.key);
  EXPECT_EQ(server_->reload_tls().error().code, Errc::invalid);
  EXPECT_TRUE(Client(port(), {.ca = path("ca2.pem")}).connected());
}

TEST_F(TlsServer, files_that_do_not_fit_are_errors_at_the_start) {
  const auto code = [&] { return Server::start(options_).error().code; };
  write("server.key", authority_.key);
  EXPECT_EQ(code(), Errc::invalid);
  write("server.key", "nonsense");
  EXPECT_EQ(code(), Errc::invalid);
  options_.tls.key = path("missing.key");
  EXPECT_EQ(code(), Errc::not_found);
}

TEST_F(TlsServer, large_bodies_pass_both_ways) {
  options_.body_limit = [](const Request&) { return std::size_t{8} << 20; };
  options_.handler = [](const Request& request) { return Response{.body = request.body}; };
  start();
  std::string body;
  for (int i = 0; body.size() < std::size_t{5} << 20; ++i) body += std::to_string(i);
  Client client(port(), {});
  std::thread sender([&] {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n");
    client.send(body);
  });
  sender.join();
  EXPECT_TRUE(test::body_of(client.response()) == body);
}

TEST_F(TlsServer, a_client_that_goes_away_harms_nobody) {
  options_.handler = [](const Request&) { return Response{.body = std::string(4 << 20, 'x')}; };
  start();
  for (int i = 0; i < 10; ++i) {
    Client client(port(), {});
    client.send(get("/"));
    if (i % 2 == 0) client.response(false);
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(client.socket(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  EXPECT_EQ(test::status_of(Client(port(), {}).ask(get("/"))), 200);
}

TEST_F(TlsServer, says_goodbye_before_it_closes) {
  options_.limits.keep_alive_ms = 100;
  start();
  Client client(port(), {});
  EXPECT_EQ(test::status_of(client.ask(get("/"))), 200);
  char byte = 0;
  const int got = SSL_read(client.ssl(), &byte, 1);
  EXPECT_EQ(SSL_get_error(client.ssl(), got), SSL_ERROR_ZERO_RETURN);
}

}  // namespace
}  // namespace tenken::http
