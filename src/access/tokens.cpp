#include "access/tokens.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "access/accounts.h"
#include "access/audit.h"
#include "access/writes.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace tenken::access {
namespace {

constexpr std::size_t token_bytes = 32;
constexpr std::size_t token_length = 43;
constexpr std::int64_t most_uses = 1'000'000;
constexpr Seconds longest_life = Seconds{366} * 86'400;
constexpr std::ptrdiff_t longest_tag_name = 128;
constexpr std::ptrdiff_t longest_tag_value = 256;

constexpr std::string_view columns =
    "token_id, account_id, made_by, uses, used, tags, created_at, expires_at, revoked_at";

std::string hash_of(std::string_view token) {
  return crypto::to_hex(crypto::view(crypto::sha256(token)));
}

std::string tags_document(const Tags& tags) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : tags) out.member(name, value);
  out.end_object();
  return out.take();
}

Tags read_tags(std::string_view document) {
  json::Parser parser;
  const auto parsed = parser.parse(document);
  CHECK(parsed.has_value());  // ours
  Tags out;
  parsed->for_each_member([&](std::string_view name, const json::Value& value) {
    out.emplace_back(std::string(name), std::string(value.string()));
  });
  return out;
}

TokenRow read_token(const sql::Row& row) {
  return {.id = row.string(0),
          .account = row.string(1),
          .made_by = row.string(2),
          .uses = row.integer(3),
          .used = row.integer(4),
          .tags = read_tags(row.text(5)),
          .created_at = row.integer(6),
          .expires_at = row.integer(7),
          .revoked_at = row.integer(8)};
}

Result<> check(const TokenRequest& request, Seconds now) {
  if (request.expires_at <= now || request.expires_at - now > longest_life)
    return invalid("a token lives for a second to 366 days");
  if (request.uses < 1 || request.uses > most_uses)
    return invalid(fmt::format("a token has 1 to {} uses", most_uses));
  if (request.tags.size() > most_token_tags)
    return invalid(fmt::format("a token has at most {} tags", most_token_tags));
  return check_tags(request.tags);
}

}  // namespace

namespace {

// Of UTF-8.
std::ptrdiff_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace

Result<> check_tags(const Tags& tags) {
  std::set<std::string_view> names;
  for (const auto& [name, value] : tags) {
    if (name.empty() || characters(name) > longest_tag_name ||
        characters(value) > longest_tag_value || printable(name) != name ||
        printable(value) != value)
      return invalid(
          fmt::format("tag {}: a name of 1 to {} and a value of at most {} printable "
                      "characters are needed",
                      printable(name.substr(0, 40)), longest_tag_name, longest_tag_value));
    if (!names.insert(name).second) return invalid(fmt::format("tag {}: it has two values", name));
  }
  return {};
}

Result<NewToken> create_token(sql::Connection& connection, const TokenRequest& request,
                              Seconds now) {
  TRY_VOID(check(request, now));
  auto bytes = crypto::random_bytes(token_bytes);
  NewToken out{.id = "TKIE" + crypto::random_text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
               .token = crypto::Secret(crypto::to_base64url(bytes))};
  crypto::wipe(bytes);
  const auto hash = hash_of(out.token.reveal());
  const auto tags = tags_document(request.tags);
  TRY(auto transaction, begin_change(connection));
  TRY_VOID(ensure_account(connection, request.account, now));
  TRY_VOID(connection.run(
      "INSERT INTO enrolment_token (token_id, hash, account_id, made_by, uses, used, tags, "
      "created_at, expires_at, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, 0)",
      std::string_view(out.id), std::string_view(hash), request.account, request.made_by,
      request.uses, std::string_view(tags), now, request.expires_at));
  TRY_VOID(note_command(connection, request.account, "CreateToken", out.id, now));
  TRY_VOID(transaction.commit());
  return out;
}

Result<std::vector<TokenRow>> list_tokens(sql::Connection& connection, std::string_view account) {
  TRY(const auto rows,
      connection.query(fmt::format("SELECT {} FROM enrolment_token WHERE account_id = ?1 "
                                   "ORDER BY created_at DESC, token_id",
                                   columns),
                       account));
  std::vector<TokenRow> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back(read_token(*row));
  }
}

Result<> revoke_token(sql::Connection& connection, std::string_view account, std::string_view id,
                      Seconds now) {
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY(const auto changed,
      connection.run("UPDATE enrolment_token SET revoked_at = ?3 WHERE token_id = ?2 "
                     "AND account_id = ?1 AND revoked_at = 0",
                     account, id, now));
  if (changed == 0)
    return not_found(fmt::format("no token {} that is not revoked", printable(id.substr(0, 64))));
  TRY_VOID(note_command(connection, account, "RevokeToken", id, now));
  return transaction.commit();
}

Result<std::optional<TokenRow>> find_live_token(sql::Connection& connection, std::string_view token,
                                                Seconds now) {
  if (token.size() != token_length) return std::optional<TokenRow>();
  const auto hash = hash_of(token);
  TRY(const auto rows,
      connection.query(fmt::format("SELECT {} FROM enrolment_token WHERE hash = ?1 AND EXISTS "
                                   "(SELECT 1 FROM account a WHERE a.account_id = "
                                   "enrolment_token.account_id AND a.revoked_at = 0)",
                                   columns),
                       std::string_view(hash)));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return std::optional<TokenRow>();
  auto found = read_token(*row);
  if (!found.live(now)) return std::optional<TokenRow>();
  return std::optional(std::move(found));
}

Result<bool> use_token(sql::Connection& connection, std::string_view id, Seconds now) {
  TRY(const auto changed,
      connection.run("UPDATE enrolment_token SET used = used + 1 WHERE token_id = ?1 "
                     "AND used < uses AND expires_at > ?2 AND revoked_at = 0",
                     id, now));
  return changed == 1;
}

Result<std::int64_t> prune_tokens(sql::Connection& connection, Seconds before) {
  return connection.run("DELETE FROM enrolment_token WHERE expires_at < ?1", before);
}

}  // namespace tenken::access
