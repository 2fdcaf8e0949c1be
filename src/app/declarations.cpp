#include "app/declarations.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace tenken::app {

CLI::App& Declarations::add_group(CLI::App& parent, const char* name, const char* what) {
  auto& sub = *parent.add_subcommand(name, what);
  add_lang(sub);
  return sub;
}

CLI::App& Declarations::add(CLI::App& parent, const char* name, const char* what,
                            std::function<int()> command) {
  auto& sub = add_group(parent, name, what);
  sub.callback([this, command = std::move(command)] { command_ = command; });
  return sub;
}

void Declarations::add_lang(CLI::App& sub) {
  sub.add_option("--lang", lang_,
                 "language of everything tenken itself says; default: of the environment")
      ->check(CLI::IsMember({"en", "ja"}));
}

void Declarations::add_store(CLI::App& sub, std::string& data, std::string& uri,
                             std::string& secret_key) {
  sub.add_option("--data", data,
                 "directory of the store, the keys and the certificates; default: "
                 "/var/lib/tenken/server for root, else in the home directory");
  sub.add_option("--database", uri, "postgresql://… in place of SQLite in the data directory");
  sub.add_option("--secret-key-file", secret_key,
                 "the master key; default: secret.key in the data directory");
}

}  // namespace tenken::app
