#include "app/office.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "access/accounts.h"
#include "access/keys.h"
#include "access/schema.h"
#include "app/console.h"
#include "app/exit_code.h"
#include "base/text.h"
#include "pipeline/database_location.h"
#include "serve/store_lock.h"
#include "store/schema.h"

namespace tenken::app {
namespace {

// One that was misspelt would become an empty store.
Result<> check_directory(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error))
    return not_found(fmt::format("{}: no such directory; `tenken serve` makes it", directory));
  return serve::check_restored(directory);
}

Result<Office> open_office(const AdminArguments& arguments) {
  const auto directory = directory_of(arguments);
  if (arguments.database_uri.empty()) TRY_VOID(check_directory(directory));
  TRY(auto connection, sql::open({.sqlite_file = serve::store_file(directory),
                                  .postgresql_uri = arguments.database_uri}));
  return Office{std::move(connection)};
}

// A store that serve would refuse is refused here too, whichever of its tables are asked for.
Result<Office> open_migrated(const AdminArguments& arguments) {
  TRY(auto office, open_office(arguments));
  TRY_VOID(access::migrate(*office.connection));
  TRY_VOID(store::migrate(*office.connection));
  return office;
}

int end_with(const Error& error, bool refused) {
  complain(error.what);
  return refused ? exit_usage : exit_target;
}

// Wrong words, and names of what is not there.
bool is_usage(Errc code) {
  return code == Errc::invalid || code == Errc::not_found;
}

int not_opened(const Error& error) {
  return end_with(error, is_usage(error.code));
}

int work_in(Result<Office> office, const std::function<Result<>(Office&)>& work) {
  return office ? ended(work(*office)) : not_opened(office.error());
}

}  // namespace

std::string directory_of(const AdminArguments& arguments) {
  return arguments.data_directory.empty() ? pipeline::home_directory() + "/server"
                                          : arguments.data_directory;
}

std::string key_file_of(const AdminArguments& arguments) {
  return serve::secret_key_file(directory_of(arguments), arguments.secret_key_file);
}

Result<access::MasterKey> master_key(Office& office, const AdminArguments& arguments) {
  if (arguments.secret_key_file.empty())  // of a store in PostgreSQL it may be absent
    TRY_VOID(pipeline::make_directories(directory_of(arguments)));
  return access::take_master_key(*office.connection, key_file_of(arguments));
}

Result<> check_account(Office& office, const AdminArguments& arguments) {
  TRY(const auto accounts, access::list_accounts(*office.connection));
  if (std::ranges::find(accounts, arguments.account, &access::Account::id) != accounts.end())
    return {};
  return not_found(fmt::format("there is no account {}: tenken admin account create",
                               printable(arguments.account)));
}

int ended(const Result<>& done) {
  if (done) return exit_ok;
  // What contradicts the store, once it is open, may be asked for otherwise.
  const auto code = done.error().code;
  return end_with(done.error(), is_usage(code) || code == Errc::conflict || code == Errc::limit);
}

int in_office(const AdminArguments& arguments, const std::function<Result<>(Office&)>& work) {
  return work_in(open_migrated(arguments), work);
}

int in_untouched_office(const AdminArguments& arguments,
                        const std::function<Result<>(Office&)>& work) {
  return work_in(open_office(arguments), work);
}

Result<store::Agent> agent_named(Office& office, const AdminArguments& arguments) {
  auto& connection = *office.connection;
  TRY(auto found, store::find_agent(connection, arguments.account, arguments.id));
  if (!found) {
    TRY(found, store::find_agent_of_resource(connection, arguments.account, arguments.id));
  }
  if (!found) return not_found(fmt::format("the account has no agent {}", printable(arguments.id)));
  return *std::move(found);
}

std::string shown_time(Seconds time) {
  return time == 0 ? "-" : format_time(time);
}

Result<access::Tags> read_tags(const std::vector<std::string>& words) {
  access::Tags out;
  for (const auto& word : words) {
    const auto [name, value] = split_once(word, '=');
    if (name.empty() || !value) return invalid(fmt::format("--tag {}: NAME=VALUE is needed", word));
    out.emplace_back(std::string(name), std::string(*value));
  }
  TRY_VOID(access::check_tags(out));
  return out;
}

}  // namespace tenken::app
