#include <functional>

#include <fmt/format.h>

#include "access/accounts.h"
#include "access/keys.h"
#include "access/master_key.h"
#include "access/schema.h"
#include "app/commands.h"
#include "app/console.h"
#include "base/text.h"
#include "base/time.h"
#include "pipeline/database_location.h"
#include "sql/sql.h"

namespace tenken::app {
namespace {

constexpr Seconds day = 86'400;

// What every command of administration works on: the same store as a server's, which may run.
struct Office {
  std::unique_ptr<sql::Connection> connection;
  access::MasterKey master;
};

Result<Office> open_office(const AdminArguments& arguments) {
  const auto directory = arguments.data_directory.empty() ? pipeline::data_directory() + "/server"
                                                          : arguments.data_directory;
  TRY_VOID(pipeline::make_directories(directory));
  TRY(auto master, access::MasterKey::open_or_create(arguments.secret_key_file.empty()
                                                         ? directory + "/secret.key"
                                                         : arguments.secret_key_file));
  TRY(auto connection, sql::open({.sqlite_file = directory + "/tenken.sqlite",
                                  .postgresql_uri = arguments.database_uri}));
  TRY_VOID(access::migrate(*connection));
  return Office{std::move(connection), std::move(master)};
}

int in_office(const AdminArguments& arguments, const std::function<Result<>(Office&)>& work) {
  auto office = open_office(arguments);
  const auto done = office ? work(*office) : Result<>(std::move(office).error());
  if (done) return exit_ok;
  complain(done.error().what);
  const auto code = done.error().code;
  return code == Errc::invalid || code == Errc::not_found ? exit_usage : exit_target;
}

std::string shown_time(Seconds time) {
  return time == 0 ? "-" : format_time(time);
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
  return in_office(arguments, [&](Office& office) -> Result<> {
    const auto role = access::parse_role(arguments.role);
    CHECK(role.has_value());  // the command line takes no other word
    return access::create_user(*office.connection, arguments.account, arguments.user, *role, now());
  });
}

int admin_user_list_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
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
    TRY(const auto key,
        access::create_key(*office.connection, office.master,
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
    TRY(const auto key,
        access::rotate_key(*office.connection, office.master, arguments.id, day, now()));
    print_key(key);
    return {};
  });
}

int admin_key_revoke_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) {
    return access::revoke_key(*office.connection, arguments.id, now());
  });
}

}  // namespace tenken::app
