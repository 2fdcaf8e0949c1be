// What CLI11 says by itself, in the user's language: the help of a command, and what is wrong with
// the words typed. The descriptions in command_line.cpp are English and the keys of their
// translation; they are translated when help is asked for, not before.
//
// Thread rule: one thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace tenken::app {

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();

  std::string make_description(const CLI::App* app) const override;
  std::string make_footer(const CLI::App* app) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;

 private:
  std::string row(const std::string& left, const std::string& english) const;
};

// What is wrong, and where help is.
std::string usage_fault(const CLI::App* app, const CLI::Error& error);

}  // namespace tenken::app
