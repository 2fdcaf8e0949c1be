// The commands of `tenken`, each with its arguments as a value; command_line.cpp fills them in.
// Every command returns its exit code, writes its answer to standard output and what is said about
// it to standard error.
//
// Thread rule: one command a process.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/messages.h"
#include "model/finding.h"
#include "pipeline/scan.h"
#include "pipeline/ssh.h"
#include "serve/node.h"

namespace tenken::app {

struct OutputArguments {
  std::string format = "table";
  std::string file;             // empty: standard output
  std::string colour = "auto";  // auto, always, never
};

// scan --server: where the inventory goes, and what is said of its resource.
struct ServerArguments {
  std::string url;                // empty: none
  std::string ca;                 // PEM of the authorities to trust; empty: the system's
  std::string resource;           // empty: made from the machine id
  std::string type;               // host, image, function, repository; empty: host
  std::vector<std::string> tags;  // name=value
  std::string ttl;                // "7d"; empty: for ever
  bool agentless = false;         // the inventory was fetched, nobody on the host sent it
};
int send_inventory(const pipeline::ScanOptions& scan, const ServerArguments& server);

struct ScanArguments {
  pipeline::ScanOptions scan;
  OutputArguments output;
  std::optional<SeverityLevel> fail_on;
  bool strict = false;
  ServerArguments server;
};
int scan_command(const ScanArguments& arguments);

// collect: the host that is scanned, over SSH, as scan does with this one.
struct CollectArguments {
  pipeline::SshTarget ssh;
  std::int64_t timeout_seconds = 300;
  bool print_script = false;
  std::string save;  // a file for the inventory, which nobody then scans; empty: none
};
int collect_command(const CollectArguments& arguments, ScanArguments scan);

struct SbomArguments {
  pipeline::ScanOptions scan;
  std::string format = "cyclonedx";  // cyclonedx, spdx
  std::string file;
};
int sbom_command(const SbomArguments& arguments);

struct ExplainArguments {
  pipeline::ScanOptions scan;
  std::string id;
  std::string package;  // empty: every package
};
int explain_command(const ExplainArguments& arguments);

struct QueryArguments {
  std::string database;
  std::string ecosystem;  // with --ecosystem: words are NAME VERSION
  std::vector<std::string> words;
  std::optional<std::string> batch;  // a file, "-" for standard input
  Lang lang = Lang::en;
};
int query_command(const QueryArguments& arguments);

struct DbBuildArguments {
  std::vector<std::string> from;
  std::string out;  // empty: the default place
  bool verbose = false;
  bool json = false;
};
int db_build_command(const DbBuildArguments& arguments);

struct DbUpdateArguments {
  std::string directory;                // of the generations; empty: the default place
  std::vector<std::string> feeds;       // empty: all
  std::vector<std::string> ecosystems;  // of OSV; empty: all
  std::vector<std::string> mirrors;     // "osv=https://…", or one base for all feeds
  bool only_if_changed = false;
  bool json = false;
};
int db_update_command(const DbUpdateArguments& arguments);

struct DbReadArguments {
  std::string database;
  std::string other;             // diff: the second generation
  std::vector<std::string> ids;  // show
  bool json = false;
};
int db_status_command(const DbReadArguments& arguments);
int db_show_command(const DbReadArguments& arguments);
int db_diff_command(const DbReadArguments& arguments);
int db_verify_command(const DbReadArguments& arguments);

struct BatchArguments {
  std::vector<std::string> words;
  std::optional<std::string> batch;  // a file, "-" for standard input
};
int version_compare_command(const BatchArguments& arguments);
int cvss_command(const BatchArguments& arguments);

struct ServeArguments {
  serve::NodeOptions node;
  std::string log_file;  // empty: standard error
};
int serve_command(ServeArguments arguments);

struct AdminArguments {
  std::string data_directory;
  std::string database_uri;
  std::string secret_key_file;
  std::string account;
  std::string user;
  std::string role;      // empty: the user's, or that of new users
  std::string id;        // of a key, a token, an agent
  std::string name;      // of an account or an agent, for people
  std::string resource;  // that an agent is to be
  bool management = false;
  std::int64_t days = 0;  // a key's life; 0: for ever
  std::string file;       // of a backup
  bool force = false;
  std::string expires = "1h";     // of a token
  std::int64_t uses = 1;          // of a token
  std::vector<std::string> tags;  // NAME=VALUE
  std::string server;             // URL, for the line that says how a token is used
  std::string release_key;        // for the same line
  std::string release;            // of the agent
  bool all = false;               // agents of the account
  int percent = 100;              // of them, with those that were asked before
  std::int64_t count = 0;         // of them now; 0: as percent says
  std::string host;               // of a collection: [USER@]HOST
  std::uint32_t port = 22;
  std::string every = "1d";
};
int admin_account_create_command(const AdminArguments& arguments);
int admin_account_list_command(const AdminArguments& arguments);
int admin_account_revoke_command(const AdminArguments& arguments);
int admin_user_create_command(const AdminArguments& arguments);
int admin_user_list_command(const AdminArguments& arguments);
int admin_user_role_command(const AdminArguments& arguments);
int admin_user_revoke_command(const AdminArguments& arguments);
int admin_key_create_command(const AdminArguments& arguments);
int admin_key_list_command(const AdminArguments& arguments);
int admin_key_rotate_command(const AdminArguments& arguments);
int admin_key_revoke_command(const AdminArguments& arguments);
int admin_token_create_command(const AdminArguments& arguments);
int admin_token_list_command(const AdminArguments& arguments);
int admin_token_revoke_command(const AdminArguments& arguments);
int admin_agent_list_command(const AdminArguments& arguments);
int admin_agent_rename_command(const AdminArguments& arguments);
int admin_agent_retire_command(const AdminArguments& arguments);
int admin_agent_revoke_command(const AdminArguments& arguments);
int admin_agent_move_command(const AdminArguments& arguments);
int admin_agent_collect_command(const AdminArguments& arguments);
int admin_agent_renew_command(const AdminArguments& arguments);
int admin_agent_update_command(const AdminArguments& arguments);
int admin_collect_add_command(const AdminArguments& arguments);
int admin_collect_list_command(const AdminArguments& arguments);
int admin_collect_remove_command(const AdminArguments& arguments);
int admin_backup_command(const AdminArguments& arguments);
int admin_restore_command(const AdminArguments& arguments);
int admin_distribute_command(const AdminArguments& arguments);

}  // namespace tenken::app
