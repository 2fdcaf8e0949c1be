// A token becomes a certificate. Who a host is, is decided here: docs/adr/0013.
#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "access/tokens.h"
#include "api/agents/call.h"
#include "api/agents/move.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "host/identity.h"
#include "model/host_facts.h"
#include "store/resources.h"

namespace tenken::api::agents {
namespace {

constexpr json::Limits body_limits{.bytes = 64 * 1024, .depth = 8, .unique_keys = true};
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_word = 64;
constexpr std::size_t hash_digits = 64;
constexpr std::size_t state_digits = 32;

struct Enrolment {
  std::string token;
  std::string request;  // PEM
  std::string host_name;
  std::string machine_id;
  std::string host_key;
  std::string state_id;
  std::string version;
  std::string architecture;
  CloudInstance cloud;
};

ApiResult<std::string> name_in(const json::Value& object, std::string_view name, std::size_t most) {
  const auto value = object[name];
  if (value && !value.is_string())
    return validation_failed(fmt::format("{}: a string is needed", name));
  return name_of(value.string(), name, most);
}

ApiResult<CloudInstance> read_cloud(const json::Value& object) {
  CloudInstance out;
  if (!object) return out;
  if (!object.is_object()) return validation_failed("cloud: an object is needed");
  TRY(out.provider, name_in(object, "provider", longest_word));
  TRY(out.instance_id, name_in(object, "instanceId", longest_word));
  if (!out.instance_id.empty() && !is_instance(out.instance_id))
    return validation_failed("cloud.instanceId: i- and 8 to 17 digits of 0-9a-f are needed");
  TRY(out.account, name_in(object, "account", longest_word));
  TRY(out.region, name_in(object, "region", longest_word));
  TRY(out.type, name_in(object, "type", longest_word));
  TRY(out.image, name_in(object, "image", longest_word));
  return out;
}

ApiResult<Enrolment> read_enrolment(std::string_view body) {
  json::Parser parser(body_limits);
  TRY(const auto root, parser.parse(body));
  if (!root.is_object()) return validation_failed("an object is needed");
  Enrolment out{.token = std::string(root["token"].string()),
                .request = std::string(root["request"].string())};
  TRY(out.host_name, name_in(root, "hostName", longest_name));
  TRY(out.machine_id, digits_of(root["machineId"].string(), "machineId", hash_digits, true));
  TRY(out.host_key, digits_of(root["hostKey"].string(), "hostKey", hash_digits, true));
  TRY(out.state_id, digits_of(root["stateId"].string(), "stateId", state_digits, true));
  TRY(out.version, name_in(root, "version", longest_word));
  TRY(out.architecture, name_in(root, "architecture", longest_word));
  TRY(out.cloud, read_cloud(root["cloud"]));
  return out;
}

ApiError no_token() {
  return access_denied(
      "This token lets nobody in: it is unknown, expired, used up or revoked. Make a new one");
}

std::string hashed(std::string_view text) {
  return crypto::to_hex(crypto::view(crypto::sha256(text)));
}

// Where a host belongs, and what else is in its place.
struct Place {
  std::string resource;
  std::vector<store::Agent> twins;  // living agents of clones
  std::string wanted;               // what it would be, and another is

  bool told_apart() const { return !twins.empty() || !wanted.empty(); }
};

HostIdentity identity_of(const Enrolment& host, Seconds now) {
  return {.machine_id = host.machine_id,
          .host_key = host.host_key,
          .state_id = host.state_id,
          .since = now};
}

bool lives(const store::Agent& agent, Seconds now) {
  return agent.status == store::AgentStatus::active && now - agent.seen < lives_within;
}

// Who has it is in its way: both are told, and it is to have it once it may.
void note_taken(Place& place, const store::ResourceOwner& owner, std::string_view wanted,
                Seconds now) {
  if (place.wanted.empty()) place.wanted = wanted;
  if (!owner.agent || !lives(*owner.agent, now)) return;
  const auto same = [&](const store::Agent& twin) { return twin.id == owner.agent->id; };
  if (std::ranges::none_of(place.twins, same)) place.twins.push_back(*owner.agent);
}

// That of a host which was told apart from others before: the program is put there anew, or it
// enrols again while its cloud does not answer.
const store::Agent* earlier_agent(const std::vector<store::Agent>& others, const Enrolment& host,
                                  Seconds now) {
  const auto identity = identity_of(host, now);
  // An image of another instance has its machine id and the state of its agent.
  const auto is_another = [&](const store::Agent& other) {
    return !host.cloud.instance_id.empty() && !is_of_machine(other.resource) &&
           other.resource != host.cloud.instance_id;
  };
  for (const auto& other : others)
    if (has_state_of(other, identity) && !is_another(other)) return &other;
  for (const auto& other : others)
    if (is_of_machine(other.resource) && !host.host_key.empty() &&
        other.host_key == host.host_key && is_same_host(other, identity, now))
      return &other;
  return nullptr;
}

// A resource of its own, for a host that is not the one that its machine id names.
ApiResult<> set_apart(sql::Connection& connection, std::string_view account, const Enrolment& host,
                      Place& place, Seconds now) {
  if (host.machine_id.empty() && host.state_id.empty())
    return validation_failed("A host without machine id needs a stateId");
  place.resource = host::resource_of_machine(
      hashed(host.machine_id + "\n" + host.host_key + "\n" + host.state_id));
  TRY(const auto owner, store::owner_of(connection, account, place.resource));
  if (!may_have(owner, identity_of(host, now), now))
    return conflicting("This host's resource belongs to " + store::shown(owner), place.resource,
                       "RESOURCE");
  return {};
}

ApiResult<> place_by_machine(sql::Connection& connection, std::string_view account,
                             const Enrolment& host, Place& place, Seconds now) {
  if (host.machine_id.empty() && host.state_id.empty())
    return validation_failed("A host without machine id needs a stateId");
  place.resource = host::resource_of_machine(
      host.machine_id.empty() ? hashed("tenken state id\n" + host.state_id) : host.machine_id);
  if (!host.machine_id.empty()) {
    TRY(const auto others, store::agents_of_machine(connection, account, host.machine_id));
    if (const auto* earlier = earlier_agent(others, host, now))
      place.resource = earlier->resource;
    else
      std::ranges::copy_if(others, std::back_inserter(place.twins),
                           [&](const store::Agent& other) { return lives(other, now); });
  }
  TRY(const auto owner, store::owner_of(connection, account, place.resource));
  if (may_have(owner, identity_of(host, now), now)) return {};
  note_taken(place, owner, place.resource, now);
  return set_apart(connection, account, host, place, now);
}

ApiResult<Place> place_of(sql::Connection& connection, std::string_view account,
                          const Enrolment& host, Seconds now) {
  const auto& instance = host.cloud.instance_id;
  Place out{.resource = instance};
  if (!instance.empty()) {
    TRY(const auto owner, store::owner_of(connection, account, instance));
    if (may_have(owner, identity_of(host, now), now)) return out;
    note_taken(out, owner, instance, now);
  }
  TRY_VOID(place_by_machine(connection, account, host, out, now));
  return out;
}

store::Agent agent_of(const Enrolment& host, const access::TokenRow& token, const Place& place,
                      const std::optional<store::Agent>& before, Seconds now) {
  json::Writer tags;
  tags.begin_object();
  for (const auto& [name, value] : token.tags) tags.member(name, value);
  tags.end_object();
  return {.id = before ? before->id : crypto::to_hex(crypto::random_bytes(16)),
          .account = token.account,
          .resource = place.resource,
          .name = before ? before->name : std::string(),
          .host_name = host.host_name,
          .version = host.version,
          .architecture = host.architecture,
          .machine_id = host.machine_id,
          .host_key = host.host_key,
          .state_id = host.state_id,
          .wanted = place.wanted,
          .clone_seen = place.told_apart() ? now : 0,
          .enrolled = now,
          .seen = now,
          .reported = before ? before->reported : 0,
          .tags = tags.take()};
}

// The agent that this host had before its cloud answered: by its state alone, for a copy of it has
// the same machine id.
ApiResult<std::optional<store::Agent>> agent_without_cloud(sql::Connection& connection,
                                                           std::string_view account,
                                                           const Enrolment& host,
                                                           const Place& place, Seconds now) {
  if (is_of_machine(place.resource) || host.machine_id.empty()) return std::nullopt;
  TRY(auto agents, store::agents_of_machine(connection, account, host.machine_id));
  const auto at = std::ranges::find_if(agents, [&](const store::Agent& agent) {
    return is_of_machine(agent.resource) && has_state_of(agent, identity_of(host, now));
  });
  if (at == agents.end()) return std::nullopt;
  return std::optional(std::move(*at));
}

struct Enrolled {
  store::Agent agent;
  std::string certificate;
};

ApiResult<Enrolled> write(sql::Connection& connection, const AgentServices& services,
                          const Enrolment& host, const access::TokenRow& token, Seconds now) {
  TRY_VOID(store::lock_owners(connection));
  TRY(const auto place, place_of(connection, token.account, host, now));
  TRY(auto before, store::find_agent_of_resource(connection, token.account, place.resource));
  TRY(const auto former, agent_without_cloud(connection, token.account, host, place, now));
  if (former) {
    TRY_VOID(leave_resource(connection, *former, place.resource, now));
    if (before)
      TRY_VOID(store::end_agent(connection, former->id, store::AgentStatus::retired, now));
    if (!before) before = former;
  }
  Enrolled out{.agent = agent_of(host, token, place, before, now), .certificate = {}};
  auto& agent = out.agent;
  TRY(out.certificate, crypto::issue_client_certificate(services.authority, host.request, agent.id,
                                                        certificate_life, now));
  TRY(const auto facts, crypto::certificate_facts(out.certificate));
  agent.certificate = facts.fingerprint;
  agent.certificate_end = facts.not_after;
  TRY(const auto resource,
      store::put_resource_without_inventory(
          connection,
          {.account = agent.account,
           .external_id = agent.resource,
           .region = host.cloud.region.empty() ? services.region : host.cloud.region,
           .name = agent.host_name,
           .tags = token.tags},
          now));
  TRY_VOID(store::replace_agent(connection, agent));
  TRY_VOID(store::expect_reports(connection, resource, agent.id, now));
  for (const auto& twin : place.twins) TRY_VOID(store::mark_clone(connection, twin.id, now));
  return out;
}

http::Response answer_of(const Enrolled& enrolled, const AgentServices& services,
                         std::string_view command_key, Seconds now) {
  json::Writer out;
  out.begin_object();
  out.member("agentId", enrolled.agent.id).member("resourceId", enrolled.agent.resource);
  out.member("certificate", enrolled.certificate).member("ca", services.server_ca);
  out.member("commandKey", crypto::to_base64(command_key));
  out.key("clone").boolean(enrolled.agent.clone_seen != 0);
  out.key("now").integer(now);
  out.end_object();
  http::Response response{.body = out.take()};
  response.headers.set("Content-Type", "application/json");
  response.note.account = enrolled.agent.account;
  return response;
}

}  // namespace

AgentAnswer enrol(const http::Request& request, const AgentServices& services,
                  access::AuditLog& audit) {
  TRY(const auto host, read_enrolment(request.body));
  const auto now = services.clock();
  TRY(const auto command_key, crypto::ed25519_public_key(services.command_seed));
  TRY(auto connection, services.pool->lease());
  // Whoever has no token costs one look, and no lock.
  TRY(const auto token, access::find_live_token(*connection, host.token, now));
  if (!token) return no_token();
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto used, access::use_token(*connection, token->id, now));
  if (!used) return no_token();
  TRY(const auto enrolled, write(*connection, services, host, *token, now));
  TRY_VOID(audit.append(*connection, {.time = now,
                                      .account = token->account,
                                      .principal = "token " + token->id,
                                      .source = request.peer,
                                      .action = "tenken:EnrolAgent",
                                      .target = enrolled.agent.resource,
                                      .outcome = "success",
                                      .request_id = request.id}));
  TRY_VOID(transaction.commit());
  return answer_of(enrolled, services, command_key, now);
}

Result<> note_refused_renewal(const http::Request& request, const store::Agent& agent,
                              std::string_view why, const AgentServices& services,
                              access::AuditLog& audit) {
  TRY(auto connection, services.pool->lease());
  return audit.append(*connection, {.time = services.clock(),
                                    .account = agent.account,
                                    .principal = "agent " + agent.id,
                                    .source = request.peer,
                                    .action = "tenken:RenewAgent",
                                    .target = agent.resource,
                                    .outcome = std::string(why),
                                    .request_id = request.id});
}

AgentAnswer renew(const AgentCall& call, access::AuditLog& audit) {
  const auto now = call.services.clock();
  json::Parser parser(body_limits);
  TRY(const auto root, parser.parse(call.request.body));
  const auto certificate = crypto::issue_client_certificate(
      call.services.authority, root["request"].string(), call.agent.id, certificate_life, now);
  if (!certificate) {
    TRY_VOID(note_refused_renewal(call.request, call.agent, certificate.error().what, call.services,
                                  audit));
    return to_api_error(certificate.error());
  }
  TRY(const auto facts, crypto::certificate_facts(*certificate));
  TRY(auto connection, call.services.pool->lease());
  TRY_VOID(
      store::offer_certificate(*connection, call.agent.id, facts.fingerprint, facts.not_after));
  json::Writer out;
  out.begin_object();
  out.member("certificate", *certificate).member("ca", call.services.server_ca);
  out.key("now").integer(now);
  out.end_object();
  http::Response response{.body = out.take()};
  response.headers.set("Content-Type", "application/json");
  return response;
}

}  // namespace tenken::api::agents
