// How a command is declared: its name, the options that commands share, and what runs it.
//
// Thread rule: one thread.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace tenken::app {

class Declarations {
 public:
  CLI::App& add_group(CLI::App& parent, const char* name, const char* what);
  CLI::App& add(CLI::App& parent, const char* name, const char* what, std::function<int()> command);
  void add_lang(CLI::App& sub);
  // Where the store of a server is.
  static void add_store(CLI::App& sub, std::string& data, std::string& uri,
                        std::string& secret_key);

  // The command that was typed, once the words are parsed.
  int run_command() const { return command_(); }

 private:
  std::string lang_;  // what is said is decided before anything is parsed
  std::function<int()> command_;
};

}  // namespace tenken::app
