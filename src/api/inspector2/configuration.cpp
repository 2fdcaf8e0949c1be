// How resources are scanned, and the keys that encrypt what scans read. Changes take effect at
// once. A member has its administrator's configuration and cannot change it; the administrator may
// give it one of its own, part by part, and take it back (accountId,
// updateConfigurationInheritance). Defaults: agents, since tenken reads no disk snapshots; for
// images AWS's 14 days. What is said of machine images is kept; tenken scans none.
#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "api/call.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "store/documents.h"
#include "store/organisation.h"

namespace tenken::api {
namespace configuration_ {
namespace {

constexpr store::DocumentKind configuration_of(std::string_view account) {
  return {.account = account, .kind = "configuration"};
}
constexpr store::DocumentKind keys_of(std::string_view account) {
  return {.account = account, .kind = "encryption_key"};
}

// Members of a stored document by their names; an empty one where there is none.
class Stored {
 public:
  static Result<Stored> read(sql::Connection& connection, const store::DocumentKind& of,
                             std::string_view id) {
    Stored out;
    TRY(auto found, store::find_document(connection, of, id));
    if (!found) return out;
    TRY(out.root_, out.parser_->parse(found->body));
    out.updated_ = found->updated;
    out.body_ = std::move(found->body);
    return out;
  }
  std::string_view text(std::string_view member, std::string_view otherwise) const {
    const auto found = root_[member].string();
    return found.empty() ? otherwise : found;
  }
  std::optional<std::int64_t> number(std::string_view member) const {
    return root_[member].integer();
  }
  std::string_view body() const { return body_; }
  Seconds updated() const { return updated_; }  // 0: never

 private:
  std::unique_ptr<json::Parser> parser_ = std::make_unique<json::Parser>();
  json::Value root_;
  std::string body_;
  Seconds updated_ = 0;
};

struct Setting {
  std::string_view member;
  std::string_view initial;
};
constexpr Setting scan_mode{"scanMode", "EC2_SSM_AGENT_BASED"};
constexpr std::array<Setting, 3> rescans{{{"rescanDuration", "DAYS_14"},
                                          {"pullDateRescanDuration", "DAYS_14"},
                                          {"pullDateRescanMode", "LAST_IN_USE_AT"}}};

// A part of the configuration.
struct Part {
  std::string_view id;
  std::string_view member;  // of requests and answers
};
constexpr Part hosts{"ec2", "ec2Configuration"};
constexpr Part images{"ecr", "ecrConfiguration"};
constexpr Part machine_images{"ami", "amiConfiguration"};
constexpr std::array parts{hosts, images, machine_images};

// Whose configuration a request is about.
struct Subject {
  std::string account;
  std::string administrator;  // empty: the account stands on its own
};
ApiResult<Subject> subject_of(sql::Connection& connection, const Call& call) {
  Subject out{.account = std::string(call.input.string("accountId")), .administrator = {}};
  if (out.account.empty()) out.account = call.who.account;
  TRY(out.administrator, store::administrator_of(connection, out.account));
  if (out.account != call.who.account && out.administrator != call.who.account)
    return access_denied(fmt::format(
        "Account {} is no member of the caller's, its delegated administrator's", out.account));
  return out;
}

// The document that is the subject's alone: its own, or one that its administrator keeps for it.
struct Place {
  store::DocumentKind of;
  std::string id;
};
Place place_of(const Subject& of, const Part& part) {
  if (of.administrator.empty()) return {configuration_of(of.account), std::string(part.id)};
  return {{.account = of.account, .kind = store::given_by_administrator}, std::string(part.id)};
}

Result<Stored> read_part(sql::Connection& connection, const Subject& of, const Part& part) {
  const auto place = place_of(of, part);
  TRY(auto own, Stored::read(connection, place.of, place.id));
  if (own.updated() != 0 || of.administrator.empty()) return own;
  return Stored::read(connection, configuration_of(of.administrator), part.id);
}

void write_hosts(json::Writer& out, const Stored& part) {
  out.key(hosts.member).begin_object().key("scanModeState").begin_object();
  out.member(scan_mode.member, part.text(scan_mode.member, scan_mode.initial));
  out.member("scanModeStatus", "SUCCESS").end_object();
  if (const auto activated = part.number("activatedAt")) {
    out.key("vmScannerState").begin_object().key("activated").boolean(*activated > 0);
    if (*activated > 0) out.key("activatedAt").integer(*activated);
    out.member("status", "SUCCESS").end_object();
  }
  out.end_object();
}

void write_images(json::Writer& out, const Stored& part) {
  out.key(images.member).begin_object().key("rescanDurationState").begin_object();
  for (const auto& [member, initial] : rescans) out.member(member, part.text(member, initial));
  out.member("status", "SUCCESS");
  if (part.updated() != 0) out.key("updatedAt").integer(part.updated());
  out.end_object().end_object();
}

void write_machine_images(json::Writer& out, const Stored& part) {
  if (part.updated() != 0) out.key(machine_images.member).document(part.body());
}

Answer get_configuration(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto subject, subject_of(*connection, call));
  json::Writer out;
  out.begin_object();
  TRY(const auto of_hosts, read_part(*connection, subject, hosts));
  write_hosts(out, of_hosts);
  TRY(const auto of_images, read_part(*connection, subject, images));
  write_images(out, of_images);
  TRY(const auto of_machine_images, read_part(*connection, subject, machine_images));
  write_machine_images(out, of_machine_images);
  return out.end_object().take();
}

// What a request leaves out stays as it is.
std::string merged_images(const Stored& present, json::Value wanted) {
  json::Writer out;
  out.begin_object();
  for (const auto& [member, initial] : rescans) {
    const auto value = wanted[member].string();
    out.member(member, value.empty() ? present.text(member, initial) : value);
  }
  return out.end_object().take();
}

// When the VM scanner was activated; 0: it is not. Nothing where nobody ever said.
std::optional<Seconds> activation(const Stored& present, json::Value wanted, Seconds now) {
  const auto before = present.number("activatedAt");
  const auto asked = wanted["activateVMScanner"].boolean();
  if (!asked) return before;
  if (!*asked) return Seconds{0};
  return before.value_or(0) > 0 ? before : now;
}

std::string merged_hosts(const Stored& present, json::Value wanted, Seconds now) {
  json::Writer out;
  out.begin_object().member(scan_mode.member, wanted[scan_mode.member].string());
  if (const auto activated = activation(present, wanted, now))
    out.key("activatedAt").integer(*activated);
  return out.end_object().take();
}

// As answers have it.
std::string machine_images_text(const Call& call, json::Value wanted, Seconds now) {
  const auto* const described = call.input.operation().input->member(machine_images.member);
  CHECK(described != nullptr);
  json::Writer out;
  out.begin_object();
  for_each_set_member(*described->shape, wanted, [&](const Member& member, json::Value value) {
    out.key(member.name);
    write_value(out, *member.shape, value);
  });
  out.member("status", "SUCCESS").key("updatedAt").integer(now);
  return out.end_object().take();
}

Result<> put_part(sql::Connection& connection, const Call& call, const Subject& of,
                  const Part& part) {
  const auto wanted = call.input[part.member];
  if (!wanted) return {};
  const auto now = call.services.clock();
  TRY(const auto present, read_part(connection, of, part));
  const auto text = part.id == hosts.id    ? merged_hosts(present, wanted, now)
                    : part.id == images.id ? merged_images(present, wanted)
                                           : machine_images_text(call, wanted, now);
  const auto place = place_of(of, part);
  return store::put_document(connection, place.of, place.id, text, now);
}

// Parts that a member has from its administrator again.
Result<> inherit(sql::Connection& connection, const Subject& of, json::Value inherited) {
  for (const auto& part : parts) {
    if (inherited[part.member].string().empty()) continue;
    const auto place = place_of(of, part);
    TRY_VOID(store::delete_document(connection, place.of, place.id));
  }
  return {};
}

ApiResult<void> check_update(const Call& call) {
  const bool inherits = call.input.has("updateConfigurationInheritance");
  const bool sets = std::ranges::any_of(
      parts, [&](const Part& part) { return static_cast<bool>(call.input[part.member]); });
  if (!inherits && !sets)
    return validation_failed(
        "One of ec2Configuration, ecrConfiguration, amiConfiguration and "
        "updateConfigurationInheritance is needed");
  if (inherits && sets)
    return validation_failed("updateConfigurationInheritance goes with no configuration");
  if (inherits && call.input.string("accountId").empty())
    return validation_failed("updateConfigurationInheritance needs accountId");
  return {};
}

Answer update_configuration(const Call& call) {
  TRY_VOID(check_update(call));
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto subject, subject_of(*connection, call));
  if (!subject.administrator.empty() && subject.administrator != call.who.account)
    return access_denied("Only the delegated administrator can change a member's configuration");
  const auto inherited = call.input["updateConfigurationInheritance"];
  if (inherited && subject.administrator.empty())
    return validation_failed("updateConfigurationInheritance is of members' configurations");
  if (inherited) TRY_VOID(inherit(*connection, subject, inherited));
  for (const auto& part : parts) TRY_VOID(put_part(*connection, call, subject, part));
  TRY_VOID(transaction.commit());
  return std::string("{}");
}

std::string key_id(const Call& call) {
  return fmt::format("{}/{}", call.input.string("scanType"), call.input.string("resourceType"));
}

ApiError no_key(const Call& call) {
  return resource_not_found(
      fmt::format("No key of the account's own encrypts scans of type {} of {}: the service's own "
                  "key does",
                  call.input.string("scanType"), call.input.string("resourceType")));
}

Answer get_encryption_key(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto found, store::find_document(*connection, keys_of(call.who.account), key_id(call)));
  if (!found) return no_key(call);
  return json::Writer().begin_object().member("kmsKeyId", found->body).end_object().take();
}

Answer update_encryption_key(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY_VOID(store::put_document(*connection, keys_of(call.who.account), key_id(call),
                               call.input.string("kmsKeyId"), call.services.clock()));
  return std::string("{}");
}

Answer reset_encryption_key(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(const auto deleted,
      store::delete_document(*connection, keys_of(call.who.account), key_id(call)));
  if (!deleted) return no_key(call);
  return std::string("{}");
}

using access::Permission;

constexpr std::array operations{
    HandledOperation{"GetConfiguration", Permission::read, get_configuration},
    HandledOperation{"GetEncryptionKey", Permission::read, get_encryption_key},
    HandledOperation{"ResetEncryptionKey", Permission::configure, reset_encryption_key,
                     "scanType resourceType"},
    HandledOperation{"UpdateConfiguration", Permission::configure, update_configuration,
                     "accountId"},
    HandledOperation{"UpdateEncryptionKey", Permission::configure, update_encryption_key,
                     "scanType resourceType"},
};

}  // namespace
}  // namespace configuration_

extern constinit const Family configuration{.id = "configuration",
                                            .operations = configuration_::operations};

}  // namespace tenken::api
