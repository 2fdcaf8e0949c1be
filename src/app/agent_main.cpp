// tenken-agent: the program that runs on hosts. Its command line is small and its own: what the
// other program uses for that weighs more than the agent.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/collection.h"
#include "agent/enrol.h"
#include "agent/files.h"
#include "agent/privileges.h"
#include "agent/state.h"
#include "agent/trial.h"
#include "agent/versions.h"
#include "app/exit_code.h"
#include "app/version.h"
#include "base/file.h"
#include "base/text.h"

namespace tenken::app {
namespace {

constexpr std::string_view usage =
    "tenken-agent: reports what is installed on this host to a tenken server\n"
    "\n"
    "  tenken-agent enrol --server URL --ca FILE --token TOKEN [--proxy URL]\n"
    "                     the host joins the server; TOKEN is of tenken admin token create,\n"
    "                     - reads it from standard input\n"
    "                     [--release-key KEY]  base64 of the Ed25519 key that signs programs;\n"
    "                     updates are taken with this key only\n"
    "  tenken-agent run   stays in the foreground, watches and reports\n"
    "                     [--log]  what it says goes to DIR/log, which stays below 1 MiB\n"
    "  tenken-agent run --once\n"
    "                     reports once and ends, for cron\n"
    "  tenken-agent status\n"
    "  tenken-agent collect --once --output FILE\n"
    "                     one report into a file (- for standard output), without a server\n"
    "\n"
    "  --state DIR        where the agent keeps what it needs (/var/lib/tenken-agent)\n"
    "  --trial SECONDS    how long a newer version has to reach the server (120); of run\n"
    "  --rootfs DIR       look at the directory instead of this host\n"
    "  --version, --help\n";

constexpr std::uint64_t longest_trial = 3600;

struct Arguments {
  std::string command;
  std::string server;
  std::string ca;
  std::string token;
  std::string proxy;
  std::string release_key;
  std::string output;
  std::string state{agent::default_state};
  std::string rootfs;
  std::string trial;
  int trial_seconds = 120;
  bool once = false;
  bool log = false;
};

struct Option {
  std::string_view name;
  std::string Arguments::* value;
  std::string_view command;  // that has it; empty: all
};
constexpr std::array options{
    Option{"--server", &Arguments::server, "enrol"},
    Option{"--ca", &Arguments::ca, "enrol"},
    Option{"--token", &Arguments::token, "enrol"},
    Option{"--proxy", &Arguments::proxy, "enrol"},
    Option{"--release-key", &Arguments::release_key, "enrol"},
    Option{"--output", &Arguments::output, "collect"},
    Option{"--trial", &Arguments::trial, "run"},
    Option{"--state", &Arguments::state, ""},
    Option{"--rootfs", &Arguments::rootfs, ""},
};

void say(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}
// Where what is said goes in place of standard error; empty: nowhere else.
std::string log_file;

void complain(std::string_view text) {
  // Before each line, so that the file stays small and one that somebody took away is made again.
  if (!log_file.empty()) std::ignore = agent::log_into(log_file);
  say(stderr, fmt::format("tenken-agent: {}\n", printable(text)));
}

Result<Arguments> read_arguments(std::span<const std::string_view> words) {
  Arguments out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto word = words[i];
    if (!word.starts_with('-') && out.command.empty()) {
      out.command = word;
    } else if (word == "--once" && (out.command == "collect" || out.command == "run")) {
      out.once = true;
    } else if (word == "--log" && out.command == "run") {
      out.log = true;
    } else {
      const auto [name, joined] = split_once(word, '=');
      const auto* option = std::ranges::find(options, name, &Option::name);
      if (option == options.end() || (!option->command.empty() && option->command != out.command))
        return invalid(fmt::format("{}: no such option; see tenken-agent --help", word));
      if (!joined && i + 1 == words.size())
        return invalid(fmt::format("{}: a value is needed", name));
      out.*option->value = joined ? std::string(*joined) : std::string(words[++i]);
      if ((out.*option->value).empty()) return invalid(fmt::format("{}: the value is empty", name));
    }
  }
  if (out.trial.empty()) return out;
  const auto seconds = parse_uint(out.trial);
  if (!seconds || *seconds == 0 || *seconds > longest_trial)
    return invalid(fmt::format("--trial: 1 to {} seconds are needed", longest_trial));
  out.trial_seconds = static_cast<int>(*seconds);
  return out;
}

Result<std::unique_ptr<agent::Collection>> open_collection(const Arguments& arguments) {
  return agent::Collection::open({.rootfs = arguments.rootfs});
}

void drop_privileges(const agent::Needs& needs) {
  for (const auto& lack : agent::drop_privileges(needs)) complain(lack);
}

// Where a package database with a write-ahead log is copied to before it is read.
std::string temporary_directory() {
  const char* const set = std::getenv("TMPDIR");
  return set == nullptr || *set == '\0' ? "/tmp" : set;
}

// From the root on. Directories are made writable by a mount on them, below which the working
// directory stays: what is named from there would be read-only.
Result<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype([](char* text) { std::free(text); })> real(
      ::realpath(path.c_str(), nullptr));
  if (!real) return from_errno(errno, path);
  return std::string(real.get());
}

struct Place {
  std::string directory;
  std::string file;
};

// Of the file, which need not be there, or of what it is a link to.
Result<Place> place_of(const std::string& file) {
  const auto real = real_path(file);
  const auto& path = real ? *real : file;
  const auto name = path.rfind('/') + 1;  // 0 where there is no slash
  TRY(auto directory, real_path(name == 0 ? std::string(".") : path.substr(0, name)));
  auto whole = (directory == "/" ? "" : directory) + "/" + path.substr(name);
  return Place{.directory = std::move(directory), .file = std::move(whole)};
}

// The registration is the state's, which an agent at work holds, also one that was refused.
Result<agent::State> open_to_enrol(const std::string& directory) {
  auto state = agent::State::open(directory);
  if (state || state.error().code != Errc::conflict) return state;
  return Error{Errc::conflict,
               fmt::format("{}: stop it (systemctl stop tenken-agent, or /etc/init.d/tenken-agent "
                           "stop), enrol, and start it again",
                           state.error().what)};
}

Result<> enrol(Arguments& arguments) {
  for (const auto* needed : {"--server", "--ca", "--token"}) {
    const auto* option = std::ranges::find(options, std::string_view(needed), &Option::name);
    if ((arguments.*option->value).empty()) return invalid(fmt::format("{} is needed", needed));
  }
  if (arguments.token == "-") {
    TRY(const auto text, read_stream(STDIN_FILENO, "standard input", 4096));
    arguments.token = trim(text);
  }
  TRY(const auto state, open_to_enrol(arguments.state));
  TRY(const auto collection, open_collection(arguments));
  drop_privileges({.writable = {state.directory()}});
  TRY(const auto enrolled, agent::enrol({.server = arguments.server,
                                         .ca = arguments.ca,
                                         .proxy = arguments.proxy,
                                         .token = arguments.token,
                                         .release_key = arguments.release_key,
                                         .version = tool_version},
                                        *collection, state));
  say(stdout, fmt::format("enrolled as {}, agent {}\n", enrolled.resource_id, enrolled.agent_id));
  if (enrolled.clone)
    complain(
        "another host that reports has the same machine id, or what this one would be is known "
        "already: it has a resource of its own (systemd-machine-id-setup gives a cloned host an id "
        "of its own; tenken admin agent list says more)");
  return {};
}

// Signals become letters in a pipe, which the loop watches.
int order_end = -1;
void on_signal(int number) {
  const char order = number == SIGHUP ? 'c' : 't';
  std::ignore = ::write(order_end, &order, 1);
}

// The words of main(), with which another version of this program is started.
char** process_words = nullptr;

// One agent, until it is told to end or has fetched a newer version, which it answers.
Result<std::string> run_agent(const Arguments& arguments, int orders) {
  TRY(const auto state, agent::State::open(arguments.state));
  // A package database with a write-ahead log is copied before it is read: nowhere else.
  ::setenv("TMPDIR", state.directory().c_str(), 1);
  TRY(const auto collection, open_collection(arguments));
  return agent::run(*collection, state,
                    {.version = tool_version,
                     .orders = orders,
                     .once = arguments.once,
                     .log = [](std::string_view line) { complain(line); }});
}

// Where the version proves itself this process becomes it; else it goes on. False: it is to end.
bool go_over_to(const std::string& version, const agent::Versions& versions,
                const agent::TrialOptions& how) {
  const auto trial = agent::try_version(versions, version, how);
  if (trial == agent::Trial::ended) return false;
  if (trial == agent::Trial::passed) {
    if (const auto current = versions.make_current(version); !current)
      versions.give_up(version, current.error().what);
    else
      agent::become(versions, version, process_words);
  }
  const auto fault = versions.fault();
  complain(fmt::format("version {} was given up: {}", version,
                       fault ? fault->why : "it does not start"));
  return true;
}

// Returns where the installed program is the one to run.
void go_over_at_start(const agent::Versions& versions) {
  const auto newer = versions.to_run(tool_version);
  if (!newer) complain(newer.error().what + ": the installed version runs");
  if (!newer || !*newer) return;
  agent::become(versions, **newer, process_words);
  versions.give_up(**newer, "it does not start");
}

Result<> keep_log(const Arguments& arguments) {
  TRY_VOID(agent::log_into(arguments.state + "/log"));
  log_file = arguments.state + "/log";
  return {};
}

Result<> run(Arguments& arguments) {
  ::signal(SIGHUP, SIG_IGN);  // until it is heard: the inventory is taken anyhow
  // Where nobody has enrolled nothing is made.
  TRY(const auto member, agent::read_membership(arguments.state));
  TRY(arguments.state, real_path(arguments.state));
  if (arguments.log) TRY_VOID(keep_log(arguments));
  const agent::Versions versions(arguments.state);
  const bool is_updated = !member.release_key.empty();
  // Before anything of the state is run: who may write there has no more rights by that.
  drop_privileges({.writable = {arguments.state},
                   .other_processes = arguments.rootfs.empty(),
                   .programs = is_updated});
  const auto held = versions.hold();
  if (held.valid()) versions.clean(tool_version);
  if (is_updated && !agent::was_started_by_another()) go_over_at_start(versions);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return from_errno(errno, "pipe");
  const Fd orders(ends[0]);
  const Fd writing(ends[1]);
  order_end = writing.get();
  struct sigaction action{};
  action.sa_handler = on_signal;
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(number, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const agent::TrialOptions trial{.arguments = process_words,
                                  .orders = orders.get(),
                                  .limit = std::chrono::seconds(arguments.trial_seconds),
                                  .log = [](std::string_view line) { complain(line); }};
  while (true) {
    const auto newer = run_agent(arguments, orders.get());
    // An error that was told is no crash: that the server is away says nothing of this version.
    if (!newer) versions.ended_in_order();
    if (!newer) return newer.error();
    if (newer->empty() || !go_over_to(*newer, versions, trial) || arguments.once) break;
  }
  versions.ended_in_order();
  return {};
}

Result<> status(const Arguments& arguments) {
  TRY(const auto member, agent::read_membership(arguments.state));
  say(stdout, fmt::format("server    {}\nagent     {}\nresource  {}\n", member.server,
                          member.agent_id, member.resource_id));
  const auto text = read_file(arguments.state + "/status", 64 * 1024);
  if (!text) return not_found("no status: the agent has not run yet");
  for_each_line(*text, [](std::string_view line) {
    const auto [name, value] = split_once(line, '=');
    if (value && !value->empty()) say(stdout, fmt::format("{:<9} {}\n", name, printable(*value)));
  });
  return {};
}

Result<> collect(const Arguments& arguments) {
  if (!arguments.once || arguments.output.empty())
    return invalid("collect --once --output FILE is needed");
  std::vector<std::string> writable{temporary_directory()};
  Place output;
  if (arguments.output != "-") {
    TRY(output, place_of(arguments.output));
    writable.push_back(output.directory);
  }
  drop_privileges({.writable = std::move(writable), .other_processes = arguments.rootfs.empty()});
  TRY(const auto collection, open_collection(arguments));
  TRY(const auto seen, collection->observe());
  std::string text;
  for (const auto& line : seen.lines) text.append(line).append("\n");
  if (arguments.output == "-") return write_fd(STDOUT_FILENO, text, "standard output");
  return write_file_atomic(output.file, text);
}

int ended(const Result<>& done) {
  if (done) return exit_ok;
  complain(done.error().what);
  const auto code = done.error().code;
  if (code == Errc::conflict) return agent::exit_busy;
  if (code == Errc::unavailable || code == Errc::denied) return exit_server;
  return code == Errc::invalid ? exit_usage : exit_target;
}

int main_of(std::span<const std::string_view> words) {
  if (words.empty() || words.front() == "--help" || words.front() == "-h") {
    say(words.empty() ? stderr : stdout, usage);
    return words.empty() ? exit_usage : exit_ok;
  }
  if (words.front() == "--version") {
    say(stdout, fmt::format("tenken-agent {}\n", tool_version));
    return exit_ok;
  }
  auto arguments = read_arguments(words);
  if (!arguments) return ended(std::move(arguments).error());
  if (arguments->command == "enrol") return ended(enrol(*arguments));
  if (arguments->command == "run") return ended(run(*arguments));
  if (arguments->command == "status") return ended(status(*arguments));
  if (arguments->command == "collect") return ended(collect(*arguments));
  return ended(
      invalid(fmt::format("{}: no such command; see tenken-agent --help", arguments->command)));
}

}  // namespace
}  // namespace tenken::app

// The C library that a static program has in itself must not load the name services of
// nsswitch.conf, which were built for the host's own: names come from /etc/hosts and the DNS.
#ifdef TENKEN_STATIC
extern "C" int __nss_configure_lookup(const char* database, const char* services);
static void use_own_name_services() {
  __nss_configure_lookup("hosts", "files dns");
}
#else
static void use_own_name_services() {}
#endif

int main(int argc, char** argv) {
  use_own_name_services();
  tenken::app::process_words = argv;
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  return tenken::app::main_of(words);
}
