// tenken admin collect: the hosts that a server asks over SSH.
#include <fmt/format.h>

#include "access/accounts.h"
#include "access/audit.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/office.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "pipeline/ssh.h"
#include "store/collect_targets.h"

namespace tenken::app {
namespace {

constexpr Seconds shortest_interval = 60;

Result<store::CollectTarget> target_of(const AdminArguments& arguments) {
  if (!pipeline::is_ssh_host(arguments.host))
    return invalid(fmt::format("{}: HOST or USER@HOST is needed", printable(arguments.host)));
  const auto interval = parse_duration(arguments.every);
  if (!interval || *interval < shortest_interval)
    return invalid(fmt::format("--every {}: a time such as 30m, 6h or 1d is needed",
                               printable(arguments.every)));
  TRY(const auto tags, read_tags(arguments.tags));
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : tags) out.member(name, value);
  return store::CollectTarget{.account = arguments.account,
                              .host = arguments.host,
                              .port = arguments.port,
                              .interval = *interval,
                              .tags = out.end_object().take(),
                              .created = now()};
}

// The change and what the audit log says of it, together.
Result<> change(Office& office, const AdminArguments& arguments, std::string_view action,
                const std::function<Result<>(sql::Connection&)>& write) {
  auto& connection = *office.connection;
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY_VOID(write(connection));
  TRY_VOID(access::note_command(connection, arguments.account, action, arguments.host, now()));
  return transaction.commit();
}

std::string or_dash(std::string_view text) {
  return text.empty() ? "-" : printable(text);
}

}  // namespace

int admin_collect_add_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY(const auto target, target_of(arguments));
    return change(office, arguments, "AddCollection", [&](sql::Connection& connection) -> Result<> {
      TRY(const auto live, access::is_live_account(connection, target.account));
      if (!live)
        return not_found(fmt::format("there is no account {}: tenken admin account create",
                                     printable(target.account)));
      return store::add_collect_target(connection, target);
    });
  });
}

int admin_collect_list_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    TRY_VOID(check_account(office, arguments));
    TRY(const auto targets, store::collect_targets(*office.connection, arguments.account));
    for (const auto& one : targets)
      print(fmt::format("{}\t{}\t{}s\t{}\t{}\t{}\t{}\n", one.host, or_dash(one.resource),
                        one.interval, shown_time(one.succeeded), shown_time(one.attempted),
                        one.failures, or_dash(one.last_error)));
    return {};
  });
}

int admin_collect_remove_command(const AdminArguments& arguments) {
  return in_office(arguments, [&](Office& office) -> Result<> {
    return change(
        office, arguments, "RemoveCollection", [&](sql::Connection& connection) -> Result<> {
          TRY(const auto removed,
              store::remove_collect_target(connection, arguments.account, arguments.host));
          if (!removed)
            return not_found(
                fmt::format("the account collects nothing from {}", printable(arguments.host)));
          return {};
        });
  });
}

}  // namespace tenken::app
