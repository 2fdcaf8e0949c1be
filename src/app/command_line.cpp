#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <span>
#include <sstream>

#include <fmt/format.h>

#include "app/admin_options.h"
#include "app/commands.h"
#include "app/completion.h"
#include "app/console.h"
#include "app/declarations.h"
#include "app/help_formatter.h"
#include "app/version.h"
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "findings/filter.h"
#include "report/format.h"

namespace tenken::app {
namespace {

constexpr std::string_view footer =
    "Exit codes: 0 done, 1 findings at or above --fail-on, 2 wrong usage, 3 target unreadable or "
    "of no known format,\n"
    "4 something undecided with --strict, 5 database missing, damaged or of another format "
    "version,\n"
    "6 the server of --server did not take the inventory.";

// $LC_ALL, $LC_MESSAGES, $LANG in the order of setlocale(3).
Lang language_of_environment() {
  for (const auto* variable : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0') return parse_lang(value).value_or(Lang::en);
  }
  return Lang::en;
}

// An id in the case of its publisher: "cve-2022-3602" is CVE-2022-3602, and of GHSA only the prefix
// has capitals. Ids of other words are taken as they are written.
std::string as_published(std::string id) {
  const auto [prefix, rest] = split_once(id, '-');
  if (ascii_lower(prefix) == "ghsa" && rest) return "GHSA-" + ascii_lower(*rest);
  if (!rest || std::ranges::any_of(*rest, is_alpha)) return id;
  std::ranges::transform(id, id.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return id;
}

// --lang decides before anything is parsed: what is wrong with the other words is said in it too.
// CLI11 still checks its value.
Lang language_asked_for(std::span<char* const> words) {
  auto asked = language_of_environment();
  for (std::size_t i = 1; i < words.size() && words[i] != std::string_view("--"); ++i) {
    const auto [option, value] = split_once(words[i], '=');
    if (option != "--lang") continue;
    const auto name = value ? *value : i + 1 < words.size() ? words[i + 1] : std::string_view();
    asked = parse_lang(name).value_or(asked);
  }
  return asked;
}

// Text of options that become values after parsing.
struct Words {
  std::string severity;
  std::string fail_on;
  double maximum_age_days = 7;
  double backup_hours = 24;
};

// An unset variable of a script must not turn into the default of the option.
std::string fault_of_value(const std::string& value) {
  return value.empty() ? "an empty value is given" : "";
}

void refuse_empty_values(CLI::App& app) {
  for (auto* option : app.get_options()) {
    if (option->nonpositional() && option->get_items_expected_min() > 0)
      option->check(fault_of_value);
  }
  for (auto* sub : app.get_subcommands({})) refuse_empty_values(*sub);
}

constexpr std::size_t config_limit = 1 << 20;

constexpr double longest_age_days = 36'500;

std::string fault_of_days(const std::string& text) {
  double days = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, days);
  const bool good = read.ec == std::errc() && read.ptr == end && days >= 0 &&
                    days <= longest_age_days;  // not a number is neither
  return good ? "" : fmt::format("a number of days from 0 to {} is needed", longest_age_days);
}

std::string fault_of_duration(const std::string& text) {
  return parse_duration(text) ? "" : "a time such as 7d, 12h or 30m is needed";
}

const std::vector<std::string> severities{"unknown", "none", "low", "medium", "high", "critical"};

class CommandLine : private Declarations {
 public:
  // first: the first word of the command line. A start pays for the options of the command that it
  // names, not for those of all; help and completion tell of all of them.
  explicit CommandLine(std::string_view first)
      : app_("tenken finds known vulnerabilities in hosts, root directories and SBOMs.", "tenken") {
    app_.set_version_flag("--version", std::string(tool_version));
    app_.require_subcommand(1);
    app_.footer(std::string(footer));
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.failure_message(usage_fault);
    add_lang(app_);
    const auto named = std::ranges::find(commands, first, &Command::name);
    if (named != commands.end() && first != "completion") {
      (this->*named->add)();
    } else {
      for (const auto& command : commands) (this->*command.add)();
    }
    if (named == commands.end() && !first.empty() && !first.starts_with('-'))
      unknown_command_ = first;
    refuse_empty_values(app_);
  }

  int run(int argc, char** argv) {
    try {
      if (!unknown_command_.empty()) return no_command(unknown_command_, app_);
      app_.parse(argc, argv);
      if (!config_.empty()) {
        const auto read = read_config(*app_.get_subcommand("serve"));
        if (!read) {
          complain(read.error().what);
          return exit_usage;
        }
      }
    } catch (const CLI::RequiredError& error) {
      const auto& group = last_named();
      const auto rest = group.remaining();
      if (group.get_require_subcommand_min() > 0 && !rest.empty() && !rest.front().starts_with('-'))
        return no_command(rest.front(), group);
      return app_.exit(error) == 0 ? exit_ok : exit_usage;
    } catch (const CLI::ParseError& error) {
      // Help and version end with 0; everything else is wrong usage.
      return app_.exit(error) == 0 ? exit_ok : exit_usage;
    }
    return run_command();
  }

 private:
  static int no_command(std::string_view word, const CLI::App& group) {
    std::string names = group.get_name();
    for (const auto* above = group.get_parent(); above != nullptr; above = above->get_parent())
      names = above->get_name() + " " + names;
    complain(said("no command \"{}\"; \"{} --help\" lists them", printable(word), names));
    return exit_usage;
  }

  // The innermost command that the words name.
  const CLI::App& last_named() const {
    const auto* command = &app_;
    while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
    return *command;
  }

  struct Command {
    std::string_view name;
    void (CommandLine::*add)();
  };
  static const std::array<Command, 11> commands;

  void add_database(CLI::App& sub, std::string& database) {
    sub.add_option("--db", database,
                   "database file or directory; default: $TENKEN_DB, else tenken's data directory");
  }

  void add_target(CLI::App& sub, pipeline::ScanOptions& scan) {
    auto* root = sub.add_option("--rootfs", scan.rootfs,
                                "a directory to look at as if it were /, read only");
    sub.add_option("--sbom", scan.sbom, "a CycloneDX or SPDX JSON file, - for standard input")
        ->excludes(root);
  }

  void finish(pipeline::ScanOptions& scan) const {
    scan.lang = spoken();
    scan.now = now();
    scan.maximum_age = static_cast<Seconds>(words_.maximum_age_days * 86400);
    if (!words_.severity.empty()) scan.minimum_severity = parse_severity_level(words_.severity);
  }

  void add_scan() {
    auto& sub =
        add(app_, "scan", "scan this host, a root directory or an SBOM for known vulnerabilities",
            [this] {
              finish(scan_.scan);
              if (!words_.fail_on.empty())
                scan_.fail_on = findings::parse_threshold(words_.fail_on);
              return scan_command(scan_);
            });
    add_target(sub, scan_.scan);
    add_scan_options(sub);
  }

  void add_collect() {
    auto& sub =
        add(app_, "collect", "scan another host over SSH, where nothing is installed", [this] {
          finish(scan_.scan);
          if (!words_.fail_on.empty()) scan_.fail_on = findings::parse_threshold(words_.fail_on);
          return collect_command(collect_, scan_);
        });
    auto* host = sub.add_option("--ssh", collect_.ssh.host, "[USER@]HOST");
    sub.add_option("--port", collect_.ssh.port, "default: the ssh client's")
        ->check(CLI::Range(1, 65'535));
    sub.add_option("--identity", collect_.ssh.identity, "a private key, as of ssh -i")
        ->check(CLI::ExistingFile);
    sub.add_option("--known-hosts", collect_.ssh.known_hosts,
                   "the only file of known hosts that counts; default: the ssh client's")
        ->check(CLI::ExistingFile);
    sub.add_option("--timeout", collect_.timeout_seconds, "seconds for the whole copy")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    sub.add_flag("--print-script", collect_.print_script,
                 "print what runs on the host, and do nothing")
        ->excludes(host);
    auto* save = sub.add_option("--save", collect_.save,
                                "write the inventory into a file and print what names the host");
    add_scan_options(sub);
    save->excludes(sub.get_option("--server"));
  }

  void add_scan_options(CLI::App& sub) {
    add_database(sub, scan_.scan.database);
    std::vector<std::string> formats;
    for (const auto* format : report::formats()) {
      auto& name = formats.emplace_back(format->id);
      std::ranges::replace(name, '_', '-');
    }
    sub.add_option("-f,--format", scan_.output.format, "how to write the result")
        ->check(CLI::IsMember(formats))
        ->capture_default_str();
    sub.add_option("-o,--output", scan_.output.file,
                   "a file to write instead of standard output; replaced as a whole");
    sub.add_option("--color", scan_.output.colour, "colours in the table")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
    sub.add_option("--severity", words_.severity,
                   "show findings of this severity and above; unknown is always shown")
        ->check(CLI::IsMember(severities));
    sub.add_flag("--fixed-only", scan_.scan.fixed_only, "show only findings that have a fix");
    sub.add_option("--fail-on", words_.fail_on,
                   "exit 1 where a finding has this severity or above; any: unknown ones too")
        ->check(CLI::IsMember({"any", "none", "low", "medium", "high", "critical"}));
    sub.add_flag("--strict", scan_.strict, "exit 4 where anything could not be decided");
    sub.add_option("--ignore-file", scan_.scan.ignore_file,
                   "YAML rules: id, package, reason, expires")
        ->check(CLI::ExistingFile);
    sub.add_option("--vex", scan_.scan.vex_files, "OpenVEX, CycloneDX or CSAF VEX documents")
        ->check(CLI::ExistingFile);
    sub.add_option("--max-age", words_.maximum_age_days,
                   "days after which the database is called old")
        ->check(fault_of_days)
        ->capture_default_str();
    add_server(sub);
  }

  void add_server(CLI::App& scan) {
    auto& server = scan_.server;
    auto* url = scan.add_option("--server", server.url,
                                "send the inventory to this tenken server instead of matching it; "
                                "https://HOST:PORT");
    // What is said of findings, which the server makes.
    for (const auto* name : {"--format", "--output", "--fail-on", "--strict", "--severity",
                             "--fixed-only", "--ignore-file", "--vex", "--max-age"})
      url->excludes(scan.get_option(name));
    scan.add_option("--ca", server.ca,
                    "PEM file of the authority that the server's certificate is of")
        ->needs(url);
    scan.add_option("--resource", server.resource,
                    "the resource's id on the server; default: made from the machine id")
        ->needs(url);
    scan.add_option("--type", server.type, "what the resource is; default: host")
        ->check(CLI::IsMember({"host", "image", "function", "repository"}))
        ->needs(url);
    scan.add_option("--tag", server.tags, "NAME=VALUE, a tag of the resource")->needs(url);
    scan.add_option("--ttl", server.ttl,
                    "how long the resource lives without another report: 30m, 12h, 7d")
        ->check(fault_of_duration)
        ->needs(url);
  }

  void add_explain() {
    auto& sub = add(app_, "explain", "say why a vulnerability is or is not reported", [this] {
      finish(explain_.scan);
      return explain_command(explain_);
    });
    sub.add_option("ID", explain_.id, "a CVE, or the id of an advisory")
        ->required()
        ->transform(as_published);
    sub.add_option("--package", explain_.package, "only this package (binary or source name)");
    add_target(sub, explain_.scan);
    add_database(sub, explain_.scan.database);
  }

  // words: what a command answers that is no batch.
  void add_batch(CLI::App& sub, CLI::Option& words, std::optional<std::string>& batch,
                 const char* what) {
    sub.add_option_function<std::string>(
           "--batch", [&batch](const std::string& file) { batch = file; }, what)
        ->expected(0, 1)
        ->default_str("-")
        ->run_callback_for_default(false)
        ->excludes(&words);
  }

  void add_query() {
    auto& sub =
        add(app_, "query", "ask the database about one package version, or a list of them", [this] {
          query_.lang = spoken();
          return query_command(query_);
        });
    auto* words = sub.add_option("WORDS", query_.words, "PURL, or NAME VERSION with --ecosystem")
                      ->expected(0, 2);
    sub.add_option("--ecosystem", query_.ecosystem, "OSV's name: PyPI, Debian:11, AlmaLinux:9");
    add_batch(
        sub, *words, query_.batch,
        "lines \"ecosystem TAB name TAB version\" of a file or standard input, a JSON line each");
    add_database(sub, query_.database);
  }

  void add_sbom() {
    auto& sub =
        add(app_, "sbom", "write the packages of this host, a root directory or an SBOM as an SBOM",
            [this] {
              finish(sbom_.scan);
              return sbom_command(sbom_);
            });
    add_target(sub, sbom_.scan);
    sub.add_option("-f,--format", sbom_.format, "CycloneDX 1.6 or SPDX 2.3, JSON")
        ->check(CLI::IsMember({"cyclonedx", "spdx"}))
        ->capture_default_str();
    sub.add_option("-o,--output", sbom_.file, "a file to write instead of standard output");
  }

  void add_db() {
    auto& db = add_group(app_, "db", "build, update and inspect the advisory database");
    db.require_subcommand(1);
    auto& build = add(db, "build", "build a database from feeds on disk; uses no network",
                      [this] { return db_build_command(build_); });
    build.add_option("--from", build_.from, "directories of feeds: OSV files, a mirror tree")
        ->required();
    build.add_option("--out", build_.out,
                     "the file to write; default: the data directory's current generation");
    build.add_flag("--verbose", build_.verbose, "list every file that was not read");
    build.add_flag("--json", build_.json, "as JSON");
    auto& update = add(db, "update", "fetch the feeds and build the next generation",
                       [this] { return db_update_command(update_); });
    update.add_option(
        "--db", update_.directory,
        "directory of generations; default: $TENKEN_DB, else tenken's data directory");
    update.add_option("--feed", update_.feeds,
                      "only these feeds; the others' documents stay as they are");
    update.add_option("--ecosystem", update_.ecosystems, "of OSV only these ecosystems");
    update.add_option("--mirror", update_.mirrors,
                      "base URL or directory in place of upstream, for all feeds or as FEED=BASE");
    update.add_flag("--only-if-changed", update_.only_if_changed,
                    "build nothing where nothing new arrived");
    update.add_flag("--json", update_.json, "as JSON");
    auto& status = add(db, "status", "what the database was built from, covers and skipped",
                       [this] { return db_status_command(read_); });
    add_database(status, read_.database);
    status.add_flag("--json", read_.json, "as JSON");
    auto& show = add(db, "show", "what is known of a vulnerability or an advisory",
                     [this] { return db_show_command(read_); });
    show.add_option("ID", read_.ids, "CVE-…, GHSA-…, DSA-…")->required()->transform(as_published);
    add_database(show, read_.database);
    auto& diff =
        add(db, "diff", "package names and vulnerabilities that differ between two generations",
            [this] { return db_diff_command(read_); });
    diff.add_option("A", read_.database, "the earlier one")->required();
    diff.add_option("B", read_.other, "the later one")->required();
    auto& verify = add(db, "verify", "check every block and entry",
                       [this] { return db_verify_command(read_); });
    verify.add_option("FILE", read_.database, "default: the current generation");
    verify.add_option("--db", read_.database, "the same");
  }

  void add_serve() {
    auto& sub = add(app_, "serve", "run the server: store, APIs and background work", [this] {
      serve_.node.backup.interval = static_cast<Seconds>(words_.backup_hours * 3600);
      return serve_command(serve_);
    });
    auto& node = serve_.node;
    add_store(sub, node.data_directory, node.database_uri, node.secret_key_file);
    sub.add_option("--listen", node.listen, "ADDRESS:PORT; port 0 takes a free one")
        ->capture_default_str();
    sub.add_flag("--plaintext", node.plaintext, "no TLS; on loopback addresses only");
    sub.add_option("--tls-cert", node.tls_certificate, "PEM; default: one of its own");
    sub.add_option("--tls-key", node.tls_key, "PEM key of --tls-cert");
    sub.add_option("--tls-name", node.tls_names, "a further name of its own certificate");
    sub.add_option("--region", node.region, "the region that ARNs carry")->capture_default_str();
    add_serve_advisories(sub);
    sub.add_option("--log", serve_.log_file, "a file for the log; default: standard error");
    sub.add_option(
        "--metrics-token-file", node.metrics_token_file,
        "a file with the token that /metrics asks for; default: this host only, no token");
    sub.add_option("--min-free-bytes", node.min_free_bytes,
                   "inventories are refused while the disk has less; 0: never")
        ->capture_default_str();
    const auto days = [&](const char* name, Seconds& value, const char* what) {
      sub.add_option_function<std::int64_t>(
             name, [&value](std::int64_t count) { value = count * 86'400; }, what)
          ->check(CLI::Range(7, 36'500));
    };
    days("--keep-closed", node.retention.keep_closed,
         "days after which closed findings are deleted; default: 30");
    days("--keep-history", node.retention.keep_history,
         "days for which the history of findings is kept; default: 400");
    days("--keep-audit", node.keep_audit, "days for which the audit log is kept; default: 400");
    sub.add_option("--backup-dir", node.backup.directory,
                   "a directory for scheduled backups of the SQLite store");
    sub.add_option("--backup-interval", words_.backup_hours, "hours between two backups")
        ->check(CLI::Range(0.01, 8760.0))
        ->capture_default_str();
    sub.add_option("--backup-keep", node.backup.keep, "how many backups are kept")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    add_serve_exports(sub);
    sub.add_option("--agent-releases", node.agent_releases,
                   "a directory of signed agents, which hosts may fetch");
    sub.add_option("--config", config_, "a file of these options, a line each: option=value");
  }

  void add_serve_exports(CLI::App& sub) {
    auto& exports = serve_.node.exports;
    sub.add_option("--export-bucket", exports.buckets,
                   "ACCOUNT=BUCKET: the account may have reports and SBOMs written there");
    sub.add_option("--s3-endpoint-url", exports.s3_endpoint,
                   "where the buckets of --export-bucket are; default: Amazon S3");
    sub.add_option("--export-dir", exports.directory,
                   "a directory for exports of /v1/exports, a folder for each account");
  }

  // CLI11 reads files for the outermost command only. What the command line says outranks them.
  Result<> read_config(CLI::App& sub) const {
    TRY(const auto text, read_file(config_, config_limit));
    return take_config(text, sub).within(config_);
  }

  static Result<> take_config(const std::string& text, CLI::App& sub) {
    std::istringstream lines(text);
    try {
      for (const auto& item : CLI::ConfigINI().from_config(lines)) {
        if (!item.parents.empty())
          return invalid(
              fmt::format("[{}]: write the options without sections", item.parents.front()));
        auto* option = sub.get_option_no_throw("--" + item.name);
        if (option == nullptr)
          return invalid(fmt::format(
              "serve has no option \"{}\"; \"tenken serve --help\" lists them", item.name));
        if (option->count() > 0) continue;
        option->add_result(item.inputs);
        option->run_callback();
      }
    } catch (const CLI::ParseError& error) {
      return invalid(error.what());
    }
    return {};
  }

  void add_serve_advisories(CLI::App& sub) {
    auto& node = serve_.node;
    add_database(sub, node.advisories);
    sub.add_option("--feeds", node.feeds_directory,
                   "a directory of feeds to build from whenever it changes, without network")
        ->check(CLI::ExistingDirectory);
    sub.add_flag("--no-update", node.no_update,
                 "fetch nothing; a newer database beside the current one is taken in");
    sub.add_option("--feed", node.feeds, "fetch only these feeds");
    sub.add_option("--ecosystem", node.ecosystems, "of OSV only these ecosystems");
    sub.add_option("--mirror", node.mirrors,
                   "base URL or directory in place of upstream, for all feeds or as FEED=BASE");
  }

  void add_admin() { admin_.add_to(app_); }

  void add_version() {
    auto& version = add_group(app_, "version", "versions as each ecosystem orders them");
    version.require_subcommand(1);
    auto& compare = add(version, "compare", "print <, = or > for two versions",
                        [this] { return version_compare_command(compare_); });
    auto* words = compare.add_option("WORDS", compare_.words, "ECOSYSTEM A B")->expected(0, 3);
    add_batch(compare, *words, compare_.batch,
              "lines \"ecosystem TAB a TAB b\" of a file or standard input, a line each");
  }

  void add_cvss() {
    auto& sub = add(app_, "cvss", "score CVSS vectors (2.0, 3.0, 3.1, 4.0)",
                    [this] { return cvss_command(cvss_); });
    auto* words =
        sub.add_option("VECTOR", cvss_.words,
                       "printed as: vector, version, base, temporal, environmental, severity");
    add_batch(sub, *words, cvss_.batch, "vectors of a file or standard input, one a line");
  }

  void add_completion() {
    auto& sub = add(app_, "completion", "print a completion script", [this] {
      print(completion_script(app_, shell_));
      return static_cast<int>(exit_ok);
    });
    sub.add_option("SHELL", shell_, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  CLI::App app_;
  Words words_;
  ScanArguments scan_;
  CollectArguments collect_;
  ExplainArguments explain_;
  QueryArguments query_;
  SbomArguments sbom_;
  DbBuildArguments build_;
  DbUpdateArguments update_;
  DbReadArguments read_;
  ServeArguments serve_;
  AdminOptions admin_{*this};
  BatchArguments compare_;
  BatchArguments cvss_;
  std::string shell_;
  std::string config_;  // of serve
  std::string unknown_command_;
};

constexpr std::array<CommandLine::Command, 11> CommandLine::commands{{
    {"scan", &CommandLine::add_scan},
    {"collect", &CommandLine::add_collect},
    {"explain", &CommandLine::add_explain},
    {"query", &CommandLine::add_query},
    {"sbom", &CommandLine::add_sbom},
    {"db", &CommandLine::add_db},
    {"serve", &CommandLine::add_serve},
    {"admin", &CommandLine::add_admin},
    {"version", &CommandLine::add_version},
    {"cvss", &CommandLine::add_cvss},
    {"completion", &CommandLine::add_completion},
}};

}  // namespace

int run(int argc, char** argv) {
  speak(language_asked_for({argv, static_cast<std::size_t>(argc)}));
  const int code = CommandLine(argc > 1 ? argv[1] : "").run(argc, argv);
  return finish_output(code);
}

}  // namespace tenken::app
