#include "app/admin_options.h"

#include <CLI/CLI.hpp>

namespace tenken::app {

CLI::App& AdminOptions::add_command(CLI::App& group, const char* name, const char* what,
                                    int (*command)(const AdminArguments&)) {
  auto& sub = declare_.add(group, name, what, [this, command] { return command(admin_); });
  Declarations::add_store(sub, admin_.data_directory, admin_.database_uri, admin_.secret_key_file);
  return sub;
}

void AdminOptions::add_to(CLI::App& app) {
  auto& admin =
      declare_.add_group(app, "admin", "accounts, users, access keys and agents of a server");
  admin.require_subcommand(1);
  add_accounts(admin);
  add_users(admin);
  add_keys(admin);
  add_tokens(admin);
  add_agents(admin);
  add_collections(admin);
  add_store_commands(admin);
}

void AdminOptions::add_store_commands(CLI::App& admin) {
  add_command(admin, "backup", "copy the store into a file and verify it", admin_backup_command)
      .add_option("FILE", admin_.file, "the file to write")
      ->required();
  auto& restore = add_command(admin, "restore", "put a backup in the place of the store",
                              admin_restore_command);
  restore.add_option("FILE", admin_.file, "a backup")->required();
  restore.add_flag("--force", admin_.force, "also where a store is there");
  add_command(admin, "distribute", "spread the tables of the fleet over the nodes of Citus",
              admin_distribute_command);
}

void AdminOptions::require_account(CLI::App& sub) {
  sub.add_option("--account", admin_.account, "12 digits")->required();
}

void AdminOptions::require_user(CLI::App& sub) {
  require_account(sub);
  sub.add_option("--user", admin_.user, "the user's name")->required();
}

void AdminOptions::require_key(CLI::App& sub) {
  sub.add_option("KEY", admin_.id, "TKIA…")->required();
  sub.add_option("--account", admin_.account, "12 digits");
}

void AdminOptions::add_role(CLI::App& sub, const char* what) {
  sub.add_option("--role", admin_.role, what)
      ->check(CLI::IsMember({"viewer", "auditor", "operator", "security", "admin"}));
}

void AdminOptions::add_accounts(CLI::App& admin) {
  auto& group = declare_.add_group(admin, "account", "accounts: tenants with their own data");
  group.require_subcommand(1);
  auto& create = add_command(group, "create", "make an account", admin_account_create_command);
  require_account(create);
  create.add_option("--name", admin_.name, "for people");
  create.add_flag("--management", admin_.management, "the organisation's management account");
  add_command(group, "list", "list the accounts", admin_account_list_command);
  require_account(
      add_command(group, "revoke", "end an account and its keys", admin_account_revoke_command));
}

void AdminOptions::add_users(CLI::App& admin) {
  auto& group = declare_.add_group(admin, "user", "users of an account");
  group.require_subcommand(1);
  auto& create = add_command(group, "create", "make a user", admin_user_create_command);
  require_user(create);
  add_role(create, "viewer (if not given), auditor, operator, security or admin");
  require_account(add_command(group, "list", "list an account's users", admin_user_list_command));
  auto& role = add_command(group, "role", "give a user another role", admin_user_role_command);
  require_user(role);
  add_role(role, "viewer, auditor, operator, security or admin");
  role.get_option("--role")->required();
  require_user(
      add_command(group, "revoke", "end a user and their keys", admin_user_revoke_command));
}

void AdminOptions::add_tokens(CLI::App& admin) {
  auto& group =
      declare_.add_group(admin, "token", "tokens with which hosts become agents of an account");
  group.require_subcommand(1);
  auto& create =
      add_command(group, "create", "make a token and print it", admin_token_create_command);
  require_account(create);
  create.add_option("--expires", admin_.expires, "how long it lets hosts in: 30m, 1h, 7d")
      ->capture_default_str();
  create.add_option("--uses", admin_.uses, "how many hosts it lets in")->capture_default_str();
  create.add_option("--tag", admin_.tags, "NAME=VALUE: a tag of its hosts' resources");
  create.add_option("--server", admin_.server, "the URL that hosts reach this server by");
  create.add_option("--release-key", admin_.release_key,
                    "base64 of the Ed25519 key that signs agents, for the line that hosts run");
  require_account(add_command(group, "list", "list an account's tokens", admin_token_list_command));
  auto& revoke = add_command(group, "revoke", "end a token", admin_token_revoke_command);
  require_account(revoke);
  revoke.add_option("TOKEN", admin_.id, "TKIE…")->required();
}

CLI::App& AdminOptions::add_agent_command(CLI::App& group, const char* name, const char* what,
                                          int (*command)(const AdminArguments&)) {
  auto& sub = add_command(group, name, what, command);
  require_account(sub);
  sub.add_option("AGENT", admin_.id, "its id, or that of its resource")->required();
  return sub;
}

void AdminOptions::add_agents(CLI::App& admin) {
  auto& group = declare_.add_group(admin, "agent", "agents: hosts that report by themselves");
  group.require_subcommand(1);
  require_account(add_command(group, "list", "list an account's agents", admin_agent_list_command));
  add_agent_command(group, "rename", "give an agent a name", admin_agent_rename_command)
      .add_option("NAME", admin_.name, "for people")
      ->required();
  add_agent_command(group, "retire", "end an agent whose host is gone, and close its findings",
                    admin_agent_retire_command);
  add_agent_command(group, "revoke", "let an agent in no longer", admin_agent_revoke_command);
  add_agent_command(group, "move", "say which resource an agent's host is, whosever that was",
                    admin_agent_move_command)
      .add_option("RESOURCE", admin_.resource, "its id")
      ->required();
  add_agent_command(group, "collect", "have an agent report the whole now",
                    admin_agent_collect_command);
  add_agent_command(group, "renew", "have an agent get itself a new key and certificate now",
                    admin_agent_renew_command);
  add_update(group);
}

void AdminOptions::add_update(CLI::App& group) {
  auto& sub = add_command(group, "update", "have agents fetch a release and go over to it",
                          admin_agent_update_command);
  require_account(sub);
  auto* agent = sub.add_option("AGENT", admin_.id, "its id, or that of its resource");
  sub.add_option("--release", admin_.release, "such as 0.2.0, of tenken serve --agent-releases")
      ->required();
  auto* all = sub.add_flag("--all", admin_.all, "the account's agents")->excludes(agent);
  auto* percent = sub.add_option("--percent", admin_.percent,
                                 "of them, with those that were asked for it before")
                      ->check(CLI::Range(1, 100))
                      ->needs(all);
  sub.add_option("--count", admin_.count, "so many of those that were not asked for it yet")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(all)
      ->excludes(percent);
}

void AdminOptions::add_collections(CLI::App& admin) {
  auto& group = declare_.add_group(admin, "collect", "hosts that the server scans over SSH");
  group.require_subcommand(1);
  auto& add =
      add_command(group, "add", "scan a host over SSH, again and again", admin_collect_add_command);
  require_account(add);
  add.add_option("--host", admin_.host, "[USER@]HOST")->required();
  add.add_option("--port", admin_.port, "of its SSH server")
      ->check(CLI::Range(1, 65'535))
      ->capture_default_str();
  add.add_option("--every", admin_.every, "how often: 30m, 6h, 1d")->capture_default_str();
  add.add_option("--tag", admin_.tags, "NAME=VALUE: a tag of its resource");
  require_account(
      add_command(group, "list", "list the hosts and how that goes", admin_collect_list_command));
  auto& remove = add_command(group, "remove", "scan a host no longer; its resource stays",
                             admin_collect_remove_command);
  require_account(remove);
  remove.add_option("--host", admin_.host, "[USER@]HOST")->required();
}

void AdminOptions::add_keys(CLI::App& admin) {
  auto& group = declare_.add_group(admin, "key", "access keys of a user");
  group.require_subcommand(1);
  auto& create = add_command(group, "create", "make an access key and print it as two export lines",
                             admin_key_create_command);
  require_user(create);
  add_role(create, "of a new user, viewer if not given; one who is there keeps the role");
  create.add_option("--days", admin_.days, "how long it is good; default: until it is revoked")
      ->check(CLI::Range(0, 3650));
  require_account(add_command(group, "list", "list an account's keys", admin_key_list_command));
  require_key(add_command(group, "rotate", "make a second key that replaces this one within a day",
                          admin_key_rotate_command));
  require_key(add_command(group, "revoke", "end a key", admin_key_revoke_command));
}

}  // namespace tenken::app
