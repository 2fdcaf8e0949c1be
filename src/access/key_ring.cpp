#include "access/key_ring.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>

#include "access/sealed_secret.h"
#include "base/text.h"

namespace tenken::access {
namespace {

constexpr std::int64_t ask_after_ms = 500;
constexpr std::int64_t good_for_ms = 900;  // leaves time for the answer within a second
constexpr int wait_ms = 5'000;
constexpr std::size_t most_keys = 100'000;

// What tenken issues; nothing else is asked of the database.
bool is_key_id(std::string_view text) {
  return text.size() == 20 && text.starts_with("TKIA") &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

struct KeyRing::State {
  std::shared_mutex mutex;  // of what follows
  std::map<std::string, std::shared_ptr<const KnownKey>, std::less<>> keys;
  std::int64_t epoch = -1;
  std::int64_t forgotten = 0;  // how often keys was emptied
  std::optional<std::int64_t> asked_at;

  std::mutex asking;  // held by the one thread that asks for the epoch

  std::mutex uses_mutex;
  std::map<std::string, Seconds, std::less<>> uses;
};

std::int64_t KeyRing::steady_ticks() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

KeyRing::KeyRing(sql::Pool& pool, const MasterKey& master, Ticks ticks)
    : pool_(pool),
      sealing_key_(master.derive(MasterKey::Purpose::access_key_secrets)),
      ticks_(std::move(ticks)),
      state_(std::make_unique<State>()) {}

KeyRing::~KeyRing() = default;

Result<> KeyRing::check_epoch() {
  const auto age_ms = [&]() -> std::optional<std::int64_t> {
    const std::shared_lock lock(state_->mutex);
    if (!state_->asked_at) return std::nullopt;
    return ticks_() - *state_->asked_at;
  };
  auto age = age_ms();
  if (age && *age < ask_after_ms) return {};
  std::unique_lock asking(state_->asking, std::try_to_lock);
  if (!asking) {
    // Another thread asks. What is known is good for a while yet; then its answer is waited for.
    if (age && *age < good_for_ms) return {};
    asking.lock();
    age = age_ms();
    if (age && *age < ask_after_ms) return {};
  }
  TRY(const auto connection, pool_.lease(wait_ms));
  const auto asked_at = ticks_();  // the answer is as old as the question
  TRY(const auto epoch, connection->one_integer("SELECT epoch FROM access_state WHERE id = 1"));
  const std::unique_lock lock(state_->mutex);
  if (state_->epoch != epoch.value_or(0)) {
    state_->epoch = epoch.value_or(0);
    state_->keys.clear();
    ++state_->forgotten;
  }
  state_->asked_at = asked_at;
  return {};
}

Result<std::shared_ptr<const KnownKey>> KeyRing::load(std::string_view access_key_id) {
  TRY(const auto connection, pool_.lease(wait_ms));
  TRY(const auto rows,
      connection->query(
          "SELECT k.account_id, k.user_name, u.user_id, u.role, k.sealed_secret, k.expires_at FROM "
          "access_key k JOIN app_user u ON u.account_id = k.account_id AND u.name = k.user_name "
          "JOIN account a ON a.account_id = k.account_id WHERE k.access_key_id = ?1 AND "
          "k.revoked_at = 0 AND u.revoked_at = 0 AND a.revoked_at = 0",
          access_key_id));
  TRY(const auto* row, rows->next());
  if (row == nullptr) return nullptr;
  auto key = std::make_shared<KnownKey>();
  key->principal = {.account = row->string(0),
                    .user = row->string(1),
                    .user_id = row->string(2),
                    .access_key_id = std::string(access_key_id),
                    .role = parse_role(row->text(3)).value_or(Role::nobody)};
  auto secret = open_secret(sealing_key_, row->text(4), access_key_id, key->principal.account);
  // check_master_key said so at the start; to the one who asks, the key is none.
  if (!secret) return nullptr;
  key->secret = std::move(*secret);
  key->expires_at = row->integer(5);
  return key;
}

Result<std::shared_ptr<const KnownKey>> KeyRing::look_up(std::string_view access_key_id) {
  TRY_VOID(check_epoch());
  std::shared_ptr<const KnownKey> key;
  std::int64_t forgotten = 0;
  {
    const std::shared_lock lock(state_->mutex);
    const auto found = state_->keys.find(access_key_id);
    if (found != state_->keys.end()) key = found->second;
    forgotten = state_->forgotten;
  }
  if (key == nullptr) {
    TRY(key, load(access_key_id));
    if (key == nullptr) return nullptr;
    const std::unique_lock lock(state_->mutex);
    // A key read before the others were forgotten may be what was changed: it serves this once.
    if (state_->forgotten == forgotten && state_->keys.size() < most_keys)
      state_->keys.insert_or_assign(std::string(access_key_id), key);
  }
  return key;
}

Result<std::shared_ptr<const KnownKey>> KeyRing::find(std::string_view access_key_id, Seconds now) {
  if (!is_key_id(access_key_id)) return nullptr;
  auto key = look_up(access_key_id);
  if (!key) return unavailable(std::move(key.error().what));
  const bool over = *key != nullptr && (*key)->expires_at != 0 && now >= (*key)->expires_at;
  return over ? nullptr : *std::move(key);
}

void KeyRing::used(std::string_view access_key_id, Seconds now) {
  const std::lock_guard lock(state_->uses_mutex);
  const auto found = state_->uses.find(access_key_id);
  if (found == state_->uses.end())
    state_->uses.emplace(access_key_id, now);
  else
    found->second = now;
}

Result<> KeyRing::write_uses() {
  std::map<std::string, Seconds, std::less<>> uses;
  {
    const std::lock_guard lock(state_->uses_mutex);
    uses.swap(state_->uses);
  }
  if (uses.empty()) return {};
  const auto written = [&]() -> Result<> {
    TRY(const auto connection, pool_.lease());
    TRY(auto transaction, sql::Transaction::begin(*connection, sql::Transaction::Mode::write));
    for (const auto& [id, used_at] : uses)
      TRY_VOID(connection->run(
          "UPDATE access_key SET last_used_at = ?2 WHERE access_key_id = ?1 AND last_used_at < ?2",
          std::string_view(id), used_at));
    return transaction.commit();
  }();
  if (written) return {};
  const std::lock_guard lock(state_->uses_mutex);
  state_->uses.merge(uses);  // those used again meanwhile stay the newer
  return written;
}

}  // namespace tenken::access
