// The commands and options of `tenken admin`.
//
// Thread rule: one thread.
#pragma once

#include "app/commands.h"
#include "app/declarations.h"

namespace tenken::app {

class AdminOptions {
 public:
  explicit AdminOptions(Declarations& declare) : declare_(declare) {}

  void add_to(CLI::App& app);

 private:
  CLI::App& add_command(CLI::App& group, const char* name, const char* what,
                        int (*command)(const AdminArguments&));
  void add_store_commands(CLI::App& admin);
  void require_account(CLI::App& sub);
  void require_user(CLI::App& sub);
  void require_key(CLI::App& sub);
  void add_role(CLI::App& sub, const char* what);
  void add_accounts(CLI::App& admin);
  void add_users(CLI::App& admin);
  void add_tokens(CLI::App& admin);
  CLI::App& add_agent_command(CLI::App& group, const char* name, const char* what,
                              int (*command)(const AdminArguments&));
  void add_agents(CLI::App& admin);
  void add_update(CLI::App& group);
  void add_collections(CLI::App& admin);
  void add_keys(CLI::App& admin);

  Declarations& declare_;
  AdminArguments admin_;
};

}  // namespace tenken::app
