#include "agent/enrol.h"

#include <fmt/format.h>
#include <unistd.h>

#include "agent/authorities.h"
#include "agent/hold.h"
#include "base/file.h"
#include "crypto/encode.h"
#include "crypto/openssl.h"
#include "crypto/x509.h"
#include "host/identity.h"

namespace tenken::agent {
namespace {

constexpr int patience_ms = 60'000;
constexpr std::size_t release_key_bytes = 32;
constexpr std::size_t longest_pem = std::size_t{1} << 20;

std::string host_name(const Collection& collection) {
  if (!collection.is_running_host()) {
    const auto text = collection.root().read("etc/hostname", 1024);
    return text ? text->substr(0, text->find('\n')) : std::string();
  }
  std::string out(256, '\0');
  if (::gethostname(out.data(), out.size() - 1) != 0) return {};
  return out.substr(0, out.find('\0'));
}

}  // namespace

Result<SenderOptions> sender_options(const Membership& membership, const State& state) {
  SenderOptions out{
      .server = {}, .proxy = {}, .ca = state.path("ca.pem"), .identity = state.path("agent.pem")};
  TRY(out.server, parse_server_url(membership.server));
  const auto proxy = membership.proxy.empty() ? proxy_of_environment(out.server) : membership.proxy;
  if (proxy.empty()) return out;
  TRY(out.proxy, parse_proxy_url(proxy));
  return out;
}

Result<Enrolled> enrol(const EnrolOptions& options, Collection& collection, const State& state) {
  TRY_VOID(crypto::load_openssl());
  TRY(const auto trusted, read_file(options.ca, longest_pem).within("--ca"));
  Membership membership{.server = options.server,
                        .proxy = options.proxy,
                        .agent_id = {},
                        .resource_id = {},
                        .command_key = {},
                        .release_key = options.release_key};
  if (const auto before = state.membership(); before && membership.release_key.empty())
    membership.release_key = before->release_key;
  if (const auto bytes = crypto::from_base64(membership.release_key);
      !bytes || (!bytes->empty() && bytes->size() != release_key_bytes))
    return invalid("--release-key: base64 of an Ed25519 public key's 32 bytes is needed");
  TRY(auto how, sender_options(membership, state));
  how.ca = options.ca;
  how.identity.clear();
  TRY(const auto key, crypto::make_key());
  Enrolment asked{.token = options.token, .version = options.version};
  TRY(asked.request, crypto::make_certificate_request(key));
  collection.ask_cloud();
  asked.host_name = host_name(collection);
  asked.machine_hash = host::machine_hash(collection.root()).value_or(std::string());
  asked.host_key_hash = host::host_key_hash(collection.root()).value_or(std::string());
  TRY(asked.state_identity, state.identity());
  asked.cloud = collection.cloud();
  Sender sender(how);
  TRY(const auto answer, sender.exchange(enrol_request(asked), patience_ms));
  TRY(auto enrolled, read_enrolled(answer));
  membership.machine = asked.machine_hash;
  membership.agent_id = enrolled.agent_id;
  membership.resource_id = enrolled.resource_id;
  membership.command_key = enrolled.command_key;
  // The authority that was trusted for this stays with the server's own, which signs agents.
  TRY(const auto both, with_authorities(trusted, enrolled.ca, now()).within("the server's answer"));
  TRY_VOID(state.enter(membership, both, enrolled.certificate, key));
  Hold(state).end();  // what another server, or this one then, did not take is sent again
  return enrolled;
}

namespace {

// What an authority of today's names as the next is trusted too; whatever is wrong with that, the
// certificate was renewed.
Result<std::string> trust(std::string_view given, const State& state, Seconds server_now) {
  const std::string done = "the certificate was renewed";
  TRY(const auto trusted, read_file(state.path("ca.pem"), longest_pem));
  const auto more = with_authorities(trusted, given, server_now);
  if (!more)
    return fmt::format("{}; the server's authority is not taken: {}", done, more.error().what);
  if (*more == trusted) return done;
  TRY_VOID(state.put_authorities(*more));
  return done + ", and the server is trusted by a further authority";
}

}  // namespace

Result<bool> must_renew(const State& state, Seconds server_now) {
  TRY(const auto pem, read_file(state.path("agent.pem"), longest_pem));
  TRY(const auto facts, crypto::certificate_facts(pem));
  const auto life = facts.not_after - facts.not_before - crypto::certificate_back_date;
  return facts.not_after - server_now <= life / 3;
}

Result<std::string> renew(Sender& sender, const Speaker& speaker, const State& state,
                          Seconds server_now) {
  TRY(const auto key, crypto::make_key());
  TRY(const auto request, crypto::make_certificate_request(key));
  TRY(const auto answer, sender.exchange(renew_request(speaker, request), patience_ms));
  TRY(const auto renewed, read_renewed(answer));
  TRY_VOID(state.put_certificate(renewed.certificate, key));
  sender.close();
  return trust(renewed.ca, state, server_now);
}

}  // namespace tenken::agent
