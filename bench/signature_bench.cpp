// What a signed request costs before its handler runs: reading and verifying its signature, and
// finding its key, as a session of the AWS CLI sends it (800-byte token where named so).
#include <benchmark/benchmark.h>

#include "access/authenticate.h"
#include "access/keys.h"
#include "access/schema.h"
#include "crypto/hash.h"
#include "directory.h"

namespace {

using namespace tenken;

constexpr Seconds now_s = 1'729'516'502;
constexpr std::string_view services[] = {"inspector2"};

struct Request {
  std::vector<aws::Header> headers = {{"Host", "127.0.0.1:8443"},
                                      {"User-Agent", "aws-cli/2.17 exec-env/bash"},
                                      {"Accept-Encoding", "identity"},
                                      {"Content-Type", "application/json"},
                                      {"Content-Length", "17"}};
  std::string body = R"({"maxResults":10})";
  aws::RequestHead head() const {
    return {.method = "POST", .target = "/findings/list", .headers = headers};
  }
};

Request signed_request(const aws::Credentials& credentials) {
  Request request;
  for (auto& header : sign(request.head(), aws::payload_hash(request.body), credentials,
                           "us-east-1", "inspector2", now_s))
    request.headers.push_back(std::move(header));
  return request;
}

void verify_signature(benchmark::State& state) {
  const auto token = std::string(static_cast<std::size_t>(state.range(0)), 'x');
  const aws::Credentials credentials{
      .access_key_id = "TKIAABCDEFGHIJKLMNOP",
      .secret = crypto::Secret(std::string_view("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")),
      .session_token = token};
  const auto request = signed_request(credentials);
  aws::SigningKeys keys;
  for (auto _ : state) {
    const auto claim = read_claim(request.head());
    const auto verified = verify(*claim, request.head(), request.body, credentials.secret,
                                 {.services = services}, keys, now_s);
    if (!verified) state.SkipWithError("refused");
  }
}
BENCHMARK(verify_signature)->ArgName("token_bytes")->Arg(0)->Arg(800);

void authenticate(benchmark::State& state) {
  const bench::Directory directory;
  sql::Pool pool({.sqlite_file = directory / "tenken.db"}, 2);
  const auto master = access::MasterKey::open_or_create(directory / "secret.key").value();
  const auto key = [&] {
    const auto connection = pool.lease().value();
    CHECK(access::migrate(*connection).has_value());
    return access::create_key(
               *connection, master,
               {.account = "111122223333", .user = "bench", .role = access::Role::viewer}, now_s)
        .value();
  }();
  const auto request = signed_request(
      {.access_key_id = key.access_key_id, .secret = key.secret.copy(), .session_token = {}});
  access::KeyRing ring(pool, master);
  access::Authenticator door(ring, services);
  for (auto _ : state)
    if (!door.authenticate(request.head(), request.body, now_s)) state.SkipWithError("refused");
}
BENCHMARK(authenticate);

void sha256_of_64_bytes(benchmark::State& state) {
  const std::string bytes(64, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(bytes));
}
BENCHMARK(sha256_of_64_bytes);

void hmac_sha256_of_64_bytes(benchmark::State& state) {
  const std::string bytes(64, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(crypto::hmac_sha256("key", bytes));
}
BENCHMARK(hmac_sha256_of_64_bytes);

}  // namespace

BENCHMARK_MAIN();
