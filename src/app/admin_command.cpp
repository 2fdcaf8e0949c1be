#include <algorithm>

#include <fmt/format.h>

#include "access/accounts.h"
#include "access/keys.h"
#include "access/schema.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/exit_code.h"
#include "app/office.h"
#include "base/text.h"
#include "base/time.h"
#include "pipeline/database_location.h"
#include "serve/backup.h"
#include "serve/store_lock.h"
#include "sql/sql.h"

namespace tenken::app {
namespace {

constexpr Seconds day = 86'400;

Result<> restore(const AdminArguments& arguments) {
  TRY(const auto restored, serve::restore_store(arguments.file, directory_of(arguments),
                                                key_file_of(arguments), arguments.force, now()));
  if (restored.keys_ended > 0)
    complain(say(spoken(), Message::restore_ended_keys, restored.keys_ended));
  return {};
}

// Which program makes a copy of a PostgreSQL store, and which takes it in.
Result<> only_sqlite(const AdminArguments& arguments, std::string_view instead) {
  if (arguments.database_uri.empty()) return {};
  return invalid(fmt::format("the store is in PostgreSQL: use {}", instead));
}

// Of --account, which the key's id makes needless: it must be the key's.
Result<> check_account_of_key(Office& office, const AdminArguments& arguments) {
  if (arguments.account.empty()) return {};
  TRY(const auto keys, access::list_keys(*office.connection, arguments.account));
  if (std::ranges::find(keys, arguments.id, &access::KeyRow::access_key_id) != keys.end())
    return {};
  return not_found(fmt::format("the account has no key {}", printable(arguments.id)));
}

void print_key(const access::NewKey& key) {
  print(fmt::format("export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n",
                    key.access_key_id, key.secret.reveal()));
}

}  // namespace

int admin_account_create_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) {
    return access::create_account(*office.connection, arguments.account, arguments.name,
                                  arguments.management, now());
  });
}

int admin_account_list_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY(const auto accounts, access::list_accounts(*office.connection));
    for (const auto& one : accounts)
      print(fmt::format("{}\t{}\t{}\t{}\t{}\n", one.id, printable(one.name),
                        one.management ? "management" : "member", shown_time(one.created_at),
                        one.revoked_at == 0 ? "live" : "revoked"));
    return {};
  });
}

int admin_account_revoke_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) {
    return access::revoke_account(*office.connection, arguments.account, now());
  });
}

int admin_user_create_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) {
    const auto role = access::parse_role(arguments.role).value_or(access::role_of_new_users);
    return access::create_user(*office.connection, arguments.account, arguments.user, role, now());
  });
}

int admin_user_role_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) {
    const auto role = access::parse_role(arguments.role);
    CHECK(role.has_value());  // the command line takes no other word
    return access::set_role(*office.connection, arguments.account, arguments.user, *role, now());
  });
}

int admin_user_list_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY_VOID(check_account(office, arguments));
    TRY(const auto users, access::list_users(*office.connection, arguments.account));
    for (const auto& one : users)
      print(fmt::format("{}\t{}\t{}\t{}\n", printable(one.name), access::name(one.role),
                        shown_time(one.created_at), one.revoked_at == 0 ? "live" : "revoked"));
    return {};
  });
}

int admin_user_revoke_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) {
    return access::revoke_user(*office.connection, arguments.account, arguments.user, now());
  });
}

int admin_key_create_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY(const auto master, master_key(office, arguments));
    TRY(const auto key,
        access::create_key(*office.connection, master,
                           {.account = arguments.account,
                            .user = arguments.user,
                            .role = access::parse_role(arguments.role),
                            .expires_at = arguments.days == 0 ? 0 : now() + arguments.days * day},
                           now()));
    print_key(key);
    return {};
  });
}

int admin_key_list_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY_VOID(check_account(office, arguments));
    TRY(const auto keys, access::list_keys(*office.connection, arguments.account));
    for (const auto& one : keys)
      print(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", one.access_key_id, printable(one.user),
                        access::name(one.role), shown_time(one.created_at),
                        shown_time(one.expires_at), shown_time(one.last_used_at),
                        one.live(now()) ? "live" : "ended"));
    return {};
  });
}

int admin_key_rotate_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY_VOID(check_account_of_key(office, arguments));
    TRY(const auto master, master_key(office, arguments));
    TRY(const auto key, access::rotate_key(*office.connection, master, arguments.id, day, now()));
    print_key(key);
    return {};
  });
}

int admin_key_revoke_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY_VOID(check_account_of_key(office, arguments));
    return access::revoke_key(*office.connection, arguments.id, now());
  });
}

int admin_backup_command(const AdminArguments& arguments) {
  if (auto fits = only_sqlite(arguments, "pg_dump --format=custom"); !fits) return ended(fits);
  return ended(serve::backup_store(directory_of(arguments), arguments.file));
}

int admin_restore_command(const AdminArguments& arguments) {
  if (auto fits = only_sqlite(arguments, "pg_restore"); !fits) return ended(fits);
  return ended(restore(arguments));
}

int admin_distribute_command(const AdminArguments& arguments) {
  if (arguments.database_uri.empty())
    return ended(invalid("--database is needed: only a store in PostgreSQL can be distributed"));
  const int checked = in_untouched_office(
      arguments, [](Office& office) { return serve::check_citus(*office.connection); });
  if (checked != exit_ok) return checked;
  return in_office(arguments, [](Office& office) -> Result<> {
    TRY_VOID(serve::distribute_store(*office.connection));
    print(said("the tables of the fleet are distributed by resource_id\n"));
    return {};
  });
}

}  // namespace tenken::app
