#include "access/schema.h"

#include <array>

#include "sql/migrate.h"

namespace tenken::access {
namespace {

// Times are seconds since the epoch; 0: never. Roles are written by their names.
constexpr std::string_view accounts_keys_and_audit = R"sql(
CREATE TABLE account (
  account_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  management INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);

CREATE TABLE app_user (
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, name)
);

CREATE TABLE access_key (
  access_key_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  sealed_secret TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE INDEX access_key_by_user ON access_key (account_id, user_name);

CREATE TABLE access_state (
  id INTEGER PRIMARY KEY,
  epoch BIGINT NOT NULL,
  master_key TEXT NOT NULL
);
INSERT INTO access_state (id, epoch, master_key) VALUES (1, 0, '');

CREATE TABLE audit_log (
  account_id TEXT NOT NULL,
  event_id BIGINT NOT NULL,
  happened_at BIGINT NOT NULL,
  principal TEXT NOT NULL,
  access_key_id TEXT NOT NULL,
  source TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL,
  request_id TEXT NOT NULL,
  PRIMARY KEY (account_id, event_id)
) {clustered};
)sql";

// One row at most.
constexpr std::string_view authority = R"sql(
CREATE TABLE certificate_authority (
  id INTEGER PRIMARY KEY,
  certificate TEXT NOT NULL,
  sealed_key TEXT NOT NULL
);
)sql";

// hash is the SHA-256 of the token, 64 hexadecimal digits.
constexpr std::string_view enrolment = R"sql(
CREATE TABLE enrolment_token (
  token_id TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  account_id TEXT NOT NULL,
  made_by TEXT NOT NULL,
  uses BIGINT NOT NULL,
  used BIGINT NOT NULL,
  tags TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX enrolment_token_by_hash ON enrolment_token (hash);
)sql";

constexpr std::array<sql::Migration, 3> migrations = {
    {{1, accounts_keys_and_audit}, {2, authority}, {3, enrolment}}};

}  // namespace

Result<> migrate(sql::Connection& connection) {
  return sql::migrate(connection, "access", migrations);
}

}  // namespace tenken::access
