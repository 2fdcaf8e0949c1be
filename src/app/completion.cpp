#include "app/completion.h"

#include <CLI/CLI.hpp>
#include <vector>

#include <fmt/format.h>

namespace tenken::app {
namespace {

struct Command {
  std::string path;  // "tenken db build"
  std::vector<std::pair<std::string, std::string>>
      words;  // subcommands and options with their help
};

// The commands without recursion: an explicit stack of what is left to look at.
std::vector<Command> commands(const CLI::App& app) {
  std::vector<Command> out;
  std::vector<std::pair<const CLI::App*, std::string>> open{{&app, app.get_name()}};
  while (!open.empty()) {
    const auto [at, path] = open.back();
    open.pop_back();
    Command command{path, {}};
    for (const auto* sub : at->get_subcommands(nullptr)) {
      command.words.emplace_back(sub->get_name(), sub->get_description());
      open.emplace_back(sub, path + " " + sub->get_name());
    }
    for (const auto* option : at->get_options()) {
      for (const auto& name : option->get_lnames())
        command.words.emplace_back("--" + name, option->get_description());
    }
    out.push_back(std::move(command));
  }
  return out;
}

std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string word_list(const Command& command) {
  std::string words;
  for (const auto& [word, help] : command.words) words += (words.empty() ? "" : " ") + word;
  return words;
}

// The words typed so far that are subcommands name the command; its words are offered, else files.
std::string bash(const CLI::App& app) {
  std::string cases;
  for (const auto& command : commands(app))
    cases += fmt::format("    {}) words={} ;;\n", shell_quoted(command.path),
                         shell_quoted(word_list(command)));
  return fmt::format(
      "_tenken() {{\n"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" command=tenken word words\n"
      "  for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
      "    case \"$command $word\" in\n"
      "{}"
      "    esac\n"
      "  done\n"
      "  case \"$command\" in\n"
      "{}"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  [[ ${{#COMPREPLY[@]}} -eq 0 ]] && COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "}}\n"
      "complete -o filenames -F _tenken tenken\n",
      [&] {
        std::string known;
        for (const auto& command : commands(app)) {
          if (command.path != app.get_name())
            known += fmt::format("      {}) command={} ;;\n", shell_quoted(command.path),
                                 shell_quoted(command.path));
        }
        return known;
      }(),
      cases);
}

std::string zsh(const CLI::App& app) {
  std::string cases;
  std::string known;
  for (const auto& command : commands(app)) {
    std::string described;
    for (const auto& [word, help] : command.words) {
      described += fmt::format(" {}", shell_quoted(word + ":" + help));
    }
    cases += fmt::format("    {}) described=({} ) ;;\n", shell_quoted(command.path), described);
    if (command.path != app.get_name())
      known += fmt::format("      {}) command={} ;;\n", shell_quoted(command.path),
                           shell_quoted(command.path));
  }
  return fmt::format(
      "#compdef tenken\n"
      "_tenken() {{\n"
      "  local command=tenken word\n"
      "  local -a described\n"
      "  for word in \"${{words[@]:1:CURRENT-2}}\"; do\n"
      "    case \"$command $word\" in\n"
      "{}"
      "    esac\n"
      "  done\n"
      "  case \"$command\" in\n"
      "{}"
      "  esac\n"
      "  _describe tenken described || _files\n"
      "}}\n"
      "compdef _tenken tenken\n",
      known, cases);
}

std::string fish(const CLI::App& app) {
  std::string out = "complete -c tenken -f\n";
  for (const auto& command : commands(app)) {
    const auto space = command.path.find(' ');
    const auto rest = space == std::string::npos ? "" : command.path.substr(space + 1);
    const auto last = rest.substr(rest.rfind(' ') == std::string::npos ? 0 : rest.rfind(' ') + 1);
    const auto condition = rest.empty() ? "__fish_use_subcommand"
                                        : fmt::format("__fish_seen_subcommand_from {}", last);
    for (const auto& [word, help] : command.words) {
      const bool option = word.starts_with("--");
      out +=
          fmt::format("complete -c tenken -n {} {} {} -d {}\n", shell_quoted(condition),
                      option ? "-F -l" : "-a", option ? word.substr(2) : word, shell_quoted(help));
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash(app);
  return shell == "zsh" ? zsh(app) : fish(app);
}

}  // namespace tenken::app
