// How resources are scanned, and the keys that encrypt what scans read. Changes take effect at
// once. A member has its administrator's configuration and cannot change it.
// Defaults: agents, since tenken reads no disk snapshots; for images AWS's 14 days.
#include <array>

#include <fmt/format.h>

#include "api/call.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "store/documents.h"
#include "store/organisation.h"

namespace tenken::api {
namespace configuration_ {
namespace {

constexpr std::string_view ec2 = "ec2";
constexpr std::string_view ecr = "ecr";

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
    TRY(const auto found, store::find_document(connection, of, id));
    if (!found) return out;
    TRY(out.root_, out.parser_->parse(found->body));
    out.updated_ = found->updated;
    return out;
  }
  std::string_view text(std::string_view member, std::string_view otherwise) const {
    const auto found = root_[member].string();
    return found.empty() ? otherwise : found;
  }
  Seconds updated() const { return updated_; }  // 0: never

 private:
  std::unique_ptr<json::Parser> parser_ = std::make_unique<json::Parser>();
  json::Value root_;
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

Answer get_configuration(const Call& call) {
  TRY(auto connection, call.services.pool->lease());
  TRY(auto owner, store::administrator_of(*connection, call.who.account));
  if (owner.empty()) owner = call.who.account;
  TRY(const auto hosts, Stored::read(*connection, configuration_of(owner), ec2));
  TRY(const auto images, Stored::read(*connection, configuration_of(owner), ecr));
  json::Writer out;
  out.begin_object();
  out.key("ec2Configuration").begin_object().key("scanModeState").begin_object();
  out.member(scan_mode.member, hosts.text(scan_mode.member, scan_mode.initial));
  out.member("scanModeStatus", "SUCCESS").end_object().end_object();
  out.key("ecrConfiguration").begin_object().key("rescanDurationState").begin_object();
  for (const auto& [member, initial] : rescans) out.member(member, images.text(member, initial));
  out.member("status", "SUCCESS");
  if (images.updated() != 0) out.key("updatedAt").integer(images.updated());
  return out.end_object().end_object().end_object().take();
}

Result<> put_ecr(sql::Connection& connection, const Call& call, json::Value wanted) {
  const auto of = configuration_of(call.who.account);
  TRY(const auto present, Stored::read(connection, of, ecr));
  json::Writer out;
  out.begin_object();
  for (const auto& [member, initial] : rescans) {
    const auto value = wanted[member].string();
    out.member(member, value.empty() ? present.text(member, initial) : value);
  }
  out.end_object();
  return store::put_document(connection, of, ecr, out.text(), call.services.clock());
}

Result<> put_ec2(sql::Connection& connection, const Call& call, json::Value wanted) {
  json::Writer out;
  out.begin_object().member(scan_mode.member, wanted[scan_mode.member].string()).end_object();
  return store::put_document(connection, configuration_of(call.who.account), ec2, out.text(),
                             call.services.clock());
}

Answer update_configuration(const Call& call) {
  const auto hosts = call.input["ec2Configuration"];
  const auto images = call.input["ecrConfiguration"];
  if (!hosts && !images)
    return validation_failed("One of ec2Configuration and ecrConfiguration is needed");
  TRY(auto connection, call.services.pool->lease());
  TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
  TRY(const auto administrator, store::administrator_of(*connection, call.who.account));
  if (!administrator.empty())
    return access_denied("Only the delegated administrator can change a member's configuration");
  if (hosts) TRY_VOID(put_ec2(*connection, call, hosts));
  if (images) TRY_VOID(put_ecr(*connection, call, images));
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
    HandledOperation{"ResetEncryptionKey", Permission::configure, reset_encryption_key},
    HandledOperation{"UpdateConfiguration", Permission::configure, update_configuration},
    HandledOperation{"UpdateEncryptionKey", Permission::configure, update_encryption_key},
};

}  // namespace
}  // namespace configuration_

extern constinit const Family configuration{.id = "configuration",
                                            .operations = configuration_::operations};

}  // namespace tenken::api
