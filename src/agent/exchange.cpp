#include "agent/exchange.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/encode.h"

namespace tenken::agent {
namespace {

constexpr json::Limits answer_limits{.bytes = std::size_t{1} << 20, .depth = 8};
constexpr std::size_t longest_message = 500;
constexpr std::int64_t highest_sequence = std::int64_t{1} << 53;  // that the server takes

struct NamedKind {
  std::string_view name;
  Command::Kind kind;
};
constexpr std::array kinds{NamedKind{"collect", Command::Kind::collect},
                           NamedKind{"renew", Command::Kind::renew},
                           NamedKind{"update", Command::Kind::update}};

Outgoing post(std::string path, const Speaker& speaker) {
  Outgoing out{.method = "POST",
               .path = std::move(path),
               .headers = {{"Tenken-Session", speaker.session},
                           {"Tenken-Version", std::string(speaker.version)}},
               .body = {}};
  if (!speaker.update_fault.empty())
    out.headers.emplace_back("Tenken-Update", printable(speaker.update_fault));
  return out;
}

std::string architecture() {
  utsname names{};
  return ::uname(&names) == 0 ? names.machine : "";
}

Release read_release(json::Value value) {
  return {.version = std::string(value["version"].string()),
          .sha256 = std::string(value["sha256"].string()),
          .size = static_cast<std::uint64_t>(
              std::max<std::int64_t>(value["size"].integer().value_or(0), 0))};
}

Errc code_of(int status) {
  switch (status) {
    case 400:
      return Errc::invalid;
    case 401:
    case 403:
      return Errc::denied;
    case 409:
      return Errc::conflict;
    case 413:
      return Errc::limit;
    default:  // of a proxy, of another server, of one that has no time
      return Errc::unavailable;
  }
}

// The text of a command that is signed; its fields where it is this agent's.
Result<Command> read_command(std::string_view text, std::string_view agent_id, Seconds now) {
  json::Parser parser(answer_limits);
  TRY(const auto root, parser.parse(text));
  Command out{.kind = {}, .id = std::string(root["id"].string()), .expires = 0, .release = {}};
  if (root["agentId"].string() != agent_id) return invalid("is for another agent");
  out.expires = root["expires"].integer().value_or(0);
  if (out.expires <= now) return invalid("is over");
  const auto name = root["command"].string();
  for (const auto& one : kinds) {
    if (one.name != name) continue;
    out.kind = one.kind;
    out.release = read_release(root["release"]);
    return out;
  }
  return invalid(fmt::format("\"{}\" is none that this agent knows", printable(name)));
}

}  // namespace

Outgoing enrol_request(const Enrolment& enrolment) {
  json::Writer out;
  out.begin_object().member("token", enrolment.token).member("request", enrolment.request);
  out.member_if("hostName", enrolment.host_name).member_if("machineId", enrolment.machine_hash);
  out.member_if("hostKey", enrolment.host_key_hash).member("stateId", enrolment.state_identity);
  out.member("version", enrolment.version).member("architecture", architecture());
  if (!enrolment.cloud.instance_id.empty()) {
    const auto& cloud = enrolment.cloud;
    out.key("cloud").begin_object().member("provider", cloud.provider);
    out.member("instanceId", cloud.instance_id).member_if("account", cloud.account);
    out.member_if("region", cloud.region).member_if("type", cloud.type);
    out.member_if("image", cloud.image).end_object();
  }
  out.end_object();
  return {.method = "POST",
          .path = "/agent/enrol",
          .headers = {{"Content-Type", "application/json"}},
          .body = out.take()};
}

Result<Enrolled> read_enrolled(const Incoming& answer) {
  if (answer.status != 200) return refusal_of(answer);
  json::Parser parser(answer_limits);
  TRY(const auto root, parser.parse(answer.body));
  Enrolled out{.agent_id = std::string(root["agentId"].string()),
               .resource_id = std::string(root["resourceId"].string()),
               .certificate = std::string(root["certificate"].string()),
               .ca = std::string(root["ca"].string()),
               .command_key = std::string(root["commandKey"].string()),
               .clone = root["clone"].boolean().value_or(false)};
  if (out.agent_id.empty() || out.certificate.empty() || out.command_key.empty())
    return invalid("the server's answer lacks what an agent needs: is it a tenken server?");
  return out;
}

Outgoing report_request(const Speaker& speaker, const SpooledReport& report) {
  auto out = post("/agent/report", speaker);
  out.headers.emplace_back("Tenken-Sequence", fmt::format("{}", report.sequence));
  out.headers.emplace_back("Tenken-Digest", report.digest);
  if (!report.base.empty()) out.headers.emplace_back("Tenken-Base", report.base);
  out.body = report.body;
  return out;
}

Outgoing poll_request(const Speaker& speaker, std::string_view digest, bool held) {
  auto out = post("/agent/poll", speaker);
  out.headers.emplace_back("Tenken-Digest", std::string(digest));
  if (!held) out.headers.emplace_back("Tenken-Hold", "0");
  return out;
}

Outgoing renew_request(const Speaker& speaker, std::string_view request) {
  auto out = post("/agent/renew", speaker);
  out.body = json::Writer().begin_object().member("request", request).end_object().take();
  return out;
}

bool is_refused_for_content(const Incoming& answer) {
  return answer.status == 400 || answer.status == 413;
}

Result<Receipt> read_receipt(const Incoming& answer) {
  if (answer.status != 200 && answer.status != 409) return refusal_of(answer);
  json::Parser parser(answer_limits);
  TRY(const auto root, parser.parse(answer.body));
  const bool need_whole = root["need"].string() == "whole";
  const auto sequence = root["sequence"].integer();
  if (answer.status == 409 && !need_whole) return refusal_of(answer);
  if (!sequence || *sequence < 0 || *sequence > highest_sequence)
    return invalid("the server's answer has no sequence");
  return Receipt{.sequence = static_cast<std::uint64_t>(*sequence),
                 .digest = std::string(root["digest"].string()),
                 .need_whole = need_whole};
}

Result<Renewed> read_renewed(const Incoming& answer) {
  if (answer.status != 200) return refusal_of(answer);
  json::Parser parser(answer_limits);
  TRY(const auto root, parser.parse(answer.body));
  Renewed out{.certificate = std::string(root["certificate"].string()),
              .ca = std::string(root["ca"].string())};
  if (out.certificate.empty()) return invalid("the server's answer has no certificate");
  return out;
}

Result<std::vector<Command>> read_commands(const Incoming& answer, std::string_view command_key,
                                           std::string_view agent_id, Seconds now,
                                           std::vector<std::string>& refused) {
  if (answer.status != 200) return refusal_of(answer);
  json::Parser parser(answer_limits);
  TRY(const auto root, parser.parse(answer.body));
  TRY(const auto key, crypto::from_base64(command_key));
  std::vector<Command> out;
  root["commands"].for_each([&](json::Value one) {
    const auto text = one["text"].string();
    const auto signature = crypto::from_base64(one["signature"].string());
    const auto verified =
        signature ? crypto::ed25519_verify(key, text, *signature) : Result<>(signature.error());
    auto command = verified ? read_command(text, agent_id, now) : Result<Command>(verified.error());
    if (command)
      out.push_back(*std::move(command));
    else
      refused.push_back(fmt::format("a command {}", command.error().what));
  });
  return out;
}

Error refusal_of(const Incoming& answer) {
  json::Parser parser(answer_limits);
  const auto root = parser.parse(answer.body);
  const auto message = root ? (*root)["message"].string() : std::string_view();
  return {code_of(answer.status), fmt::format("the server answers {}: {}", answer.status,
                            printable(message.empty()
                                          ? std::string_view(answer.body).substr(0, longest_message)
                                          : message.substr(0, longest_message)))};
}

}  // namespace tenken::agent
