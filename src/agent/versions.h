// Versions: newer agents beside the one that was installed, in the state directory, for the agent
// writes nowhere else:
//
//   versions/0.2.0/tenken-agent   a program that was fetched
//   versions/current              "0.2.0": what is run in place of the installed one
//   versions/starts               how often that was started since it last spoke to the server
//   versions/highest              "0.2.0": the highest that was ever current; none below is taken
//   versions/checked-in           what a program on trial writes when it has spoken to the server
//   versions/fault                "0.2.0 why it does not run": told to the server
//
// The installed program is never replaced: whatever is wrong here, it runs.
//
// Errors: those of files. Thread rule: one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace tenken::agent {

// Three numbers at most nine digits long with dots between; nothing else becomes part of a path.
bool is_version(std::string_view text);
// Both are versions.
bool is_newer(std::string_view version, std::string_view than);

// Why an update failed that this host did not let end.
inline constexpr std::string_view interruption =
    "it was interrupted: the agent was ended meanwhile";

struct UpdateFault {
  std::string version;
  std::string why;
};

class Versions {
 public:
  explicit Versions(const std::string& state) : state_(state), directory_(state + "/versions") {}

  // Where the program of the version goes; makes the directory.
  Result<std::string> place_for(std::string_view version) const;
  std::string program(std::string_view version) const;
  void remove(std::string_view version) const;
  // All but this one.
  void remove_others(std::string_view version) const;

  // The version to be run in place of `installed`; nullopt: none is newer. One that was started
  // again and again and never spoke to the server is given up. Errors: that it was started cannot
  // be noted, as where the disk is full.
  Result<std::optional<std::string>> to_run(std::string_view installed) const;
  Result<> make_current(std::string_view version) const;
  // That was ever made current; empty: none.
  std::string highest() const;

  // While it is held, no other process cleans; not valid: another one holds it.
  Fd hold() const;
  // What an update left that was cut off; of the one that holds. `running`: the version of this
  // program.
  void clean(std::string_view running) const;

  // Of the program that runs: it has spoken to the server; it ended by itself, well or with an
  // error that it told.
  Result<> checked_in(std::string_view version) const;
  void ended_in_order() const;
  bool has_checked_in(std::string_view version) const;
  void forget_check_in() const;

  void give_up(std::string_view version, std::string_view why) const;
  void note_fault(std::string_view version, std::string_view why) const;
  std::optional<UpdateFault> fault() const;
  void forget_fault() const;

 private:
  std::string path(std::string_view name) const;

  std::string state_;
  std::string directory_;
};

}  // namespace tenken::agent
