#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "advisories/database.h"
#include "advisories/diff.h"
#include "app/commands.h"
#include "app/console.h"
#include "base/json_writer.h"
#include "base/progress.h"
#include "base/text.h"
#include "base/time.h"
#include "feeds/feed.h"
#include "pipeline/build_database.h"
#include "pipeline/database_location.h"
#include "pipeline/update_database.h"

namespace tenken::app {
namespace {

using advisories::Database;

constexpr std::size_t shown_files = 10;

void print_skips(const advisories::Meta& meta) {
  for (const auto& skip : meta.skips)
    print(said("  skipped {:>6}  {}: {} (first: {}{}{})\n", skip.count, skip.feed,
               said_of(skip.reason), printable(skip.example.file),
               skip.example.record.empty() ? "" : " ", said_of(skip.example.record)));
}

void print_feeds(const advisories::Meta& meta) {
  for (const auto& feed : meta.feeds) {
    print(said("  {:<16} {:>8} records", feed.id, feed.records));
    if (feed.duplicates > 0)
      print(said(", {} of one id ({} differing)", feed.duplicates, feed.differing));
    if (feed.skipped > 0) print(said(", {} skipped", feed.skipped));
    if (feed.newest != 0) print(said(", newest {}", format_date(feed.newest)));
    if (feed.fetched != 0) print(said(", fetched {}", format_time(feed.fetched)));
    print("\n");
  }
}

void print_report(const pipeline::BuildReport& report, bool verbose) {
  print(said("{}: {} records, {} affected rows, {} vulnerabilities, {}\n", printable(report.path),
             report.meta.records, report.meta.rows, report.meta.vulnerabilities,
             format_bytes(report.output_bytes)));
  print_feeds(report.meta);
  print_skips(report.meta);
  for (const auto& fault : report.faults) complain(said_of(fault.text()));
  const auto& rest = report.not_read;
  if (rest.empty()) return;
  print(said("not read: {} files ({})\n", rest.size(), said_of(rest.back().reason)));
  const auto shown = verbose ? rest.size() : std::min(rest.size(), shown_files);
  for (std::size_t i = 0; i < shown; ++i) print(fmt::format("  {}\n", printable(rest[i].path)));
  if (shown < rest.size())
    print(said("  … and {} more; --verbose lists all\n", rest.size() - shown));
}

// For programs: one line, so that it is found behind whatever else was said.
void write_built(json::Writer& out, const pipeline::BuildReport& built) {
  out.member("path", built.path).member("generation", built.generation);
  out.key("records").integer(static_cast<std::int64_t>(built.meta.records));
  out.key("faults").begin_array();
  for (const auto& fault : built.faults) {
    out.begin_object().member("feed", fault.feed).member("path", fault.path);
    out.member("error", fault.text()).key("olderUsed").boolean(fault.older_used).end_object();
  }
  out.end_array();
}

void print_build_json(const Result<pipeline::BuildReport>& report) {
  json::Writer out;
  out.begin_object();
  if (report) {
    write_built(out, *report);
  } else {
    out.member("error", report.error().what);
  }
  out.end_object();
  print(out.take() + "\n");
}

void print_update_json(const pipeline::UpdateReport& report) {
  json::Writer out;
  out.begin_object().key("feeds").begin_array();
  for (const auto& feed : report.fetched) {
    out.begin_object().member("feed", feed.feed);
    out.key("fetched").integer(static_cast<std::int64_t>(feed.fetched));
    out.key("unchanged").integer(static_cast<std::int64_t>(feed.unchanged));
    out.key("bytes").integer(static_cast<std::int64_t>(feed.bytes));
    out.key("failed").integer(static_cast<std::int64_t>(feed.failed()));
    const auto first = std::ranges::find(feed.failures, false, &fetch::FetchFailure::warning);
    if (first != feed.failures.end())
      out.member("error", fmt::format("{}: {}", first->url, first->error.what));
    out.end_object();
  }
  out.end_array();
  if (report.built) write_built(out, *report.built);
  out.member_if("error", report.build_error).end_object();
  print(out.take() + "\n");
}

// Before anything is read: the file is written last, under another name.
Result<> check_place(const std::string& file) {
  const auto directory = std::filesystem::path(file).parent_path();
  std::error_code error;
  if (directory.empty() || std::filesystem::is_directory(directory, error)) return {};
  return not_found(fmt::format("{}: no such directory", directory.string()));
}

// Builds beside the current generation and takes it in, or writes the named file.
Result<pipeline::BuildReport> build(const DbBuildArguments& arguments) {
  Progress progress;
  pipeline::BuildOptions options{
      .from = arguments.from, .out = arguments.out, .progress = &progress};
  if (options.out.empty()) {
    const auto place = pipeline::data_directory();
    if (!place.ends_with(".db")) return pipeline::build_generation(place, options);
    options.out = place;  // $TENKEN_DB names a file
  }
  TRY_VOID(check_place(options.out));
  return pipeline::build_database(options);
}

}  // namespace

int db_build_command(const DbBuildArguments& arguments) {
  const auto report = build(arguments);
  if (arguments.json) {
    print_build_json(report);
    return report ? exit_ok : exit_usage;
  }
  if (!report) {
    complain(said("no database was written: {}", said_of(report.error().what)));
    return exit_usage;
  }
  print_report(*report, arguments.verbose);
  return exit_ok;
}

namespace {

bool wholly_updated(const pipeline::UpdateReport& report) {
  return report.build_error.empty() && (!report.built || report.built->faults.empty()) &&
         std::ranges::all_of(report.fetched,
                             [](const fetch::FetchReport& feed) { return feed.failed() == 0; });
}

void print_update(const pipeline::UpdateReport& report) {
  for (const auto& feed : report.fetched) {
    print(said("{:<16} {} fetched, {} unchanged, {} in {:.1f} s\n", feed.feed, feed.fetched,
               feed.unchanged, format_bytes(feed.bytes), feed.seconds));
    for (const auto& failure : feed.failures)
      complain(fmt::format("{}{}: {}", failure.warning ? said("warning: ") : "",
                           printable(failure.url), printable(failure.error.what)));
  }
  if (report.built) print_report(*report.built, false);
  if (!report.build_error.empty()) complain(printable(report.build_error));
}

}  // namespace

int db_update_command(const DbUpdateArguments& arguments) {
  Progress progress;
  pipeline::UpdateOptions options{
      .directory = arguments.directory.empty() ? pipeline::data_directory() : arguments.directory,
      .feeds = arguments.feeds,
      .ecosystems = arguments.ecosystems,
      .mirrors = arguments.mirrors,
      .only_if_changed = arguments.only_if_changed,
      .progress = &progress};
  const auto updated = pipeline::update_database(options);
  if (!updated) {
    complain(printable(updated.error().what));
    return exit_usage;
  }
  if (arguments.json) {
    print_update_json(*updated);
  } else {
    print_update(*updated);
  }
  return wholly_updated(*updated) ? exit_ok : exit_incomplete;
}

namespace {

void write_status_json(const Database& database) {
  const auto& meta = database.meta();
  json::Writer out(2);
  out.begin_object().member("path", database.path()).member("generation", database.generation());
  out.key("bytes")
      .integer(static_cast<std::int64_t>(database.file_size()))
      .key("starter")
      .boolean(meta.starter);
  out.member("newest_record", meta.newest_record == 0 ? "" : format_time(meta.newest_record));
  out.key("feeds").begin_array();
  for (const auto& feed : meta.feeds) {
    out.begin_object().member("id", feed.id);
    const auto count = [&](std::string_view key, std::uint64_t value) {
      out.key(key).integer(static_cast<std::int64_t>(value));
    };
    count("documents", feed.documents);
    count("records", feed.records);
    count("duplicates", feed.duplicates);
    count("differing", feed.differing);
    count("skipped", feed.skipped);
    out.member_if("newest", feed.newest == 0 ? "" : format_time(feed.newest));
    out.member_if("fetched", feed.fetched == 0 ? "" : format_time(feed.fetched))
        .member("content", feed.content_hash)
        .end_object();
  }
  out.end_array().key("coverage").begin_array();
  for (const auto& one : meta.coverage) {
    out.begin_object()
        .member("feed", one.feed)
        .member("ecosystem", one.ecosystem)
        .member("release", one.release);
    out.key("rows")
        .integer(static_cast<std::int64_t>(one.rows))
        .member_if("newest", one.newest == 0 ? "" : format_time(one.newest));
    out.key("partial").boolean(one.partial).end_object();
  }
  out.end_array().key("skips").begin_array();
  for (const auto& one : meta.skips) {
    out.begin_object()
        .member("feed", one.feed)
        .member("reason", in_language(spoken(), one.reason))
        .key("count")
        .integer(static_cast<std::int64_t>(one.count));
    out.member("file", one.example.file).member("record", one.example.record).end_object();
  }
  out.end_array().end_object();
  print(out.take() + "\n");
}

void print_status(const Database& database) {
  const auto& meta = database.meta();
  print(said("{}\n  generation {}, {}{}\n", printable(database.path()), database.generation(),
             format_bytes(database.file_size()),
             meta.starter ? said(", starter database: run tenken db update") : ""));
  print(said("  {} records ({} withdrawn), {} affected rows, {} vulnerabilities\n", meta.records,
             meta.withdrawn, meta.rows, meta.vulnerabilities));
  if (meta.newest_record != 0)
    print(fmt::format("  {}\n",
                      say(spoken(), Message::status_newest_record, format_time(meta.newest_record),
                          (now() - meta.newest_record) / 86400)));
  print(said("feeds\n"));
  print_feeds(meta);
  print(said("covers\n"));
  for (const auto& one : meta.coverage) {
    const auto release =
        one.release.empty() ? one.ecosystem : fmt::format("{}:{}", one.ecosystem, one.release);
    print(said("  {:<32} {:>8} rows, {}{}{}\n", printable(release), one.rows, one.feed,
               one.newest == 0 ? "" : said(", newest {}", format_date(one.newest)),
               one.partial ? said(", a part only") : ""));
  }
  if (!meta.skips.empty()) print(said("skipped\n"));
  print_skips(meta);
}

template <typename F>
int with_database(const std::string& given, F&& f) {
  const auto path = pipeline::database_path(given);
  const auto database = Database::open(path);
  if (!database) return database_failed(database.error(), path);
  const Result<int> code = f(*database);
  return code ? *code : database_failed(code.error(), path);
}

void print_vulnerability(const Vulnerability& one) {
  print(fmt::format("{}\n", printable(one.id)));
  if (!one.aliases.empty())
    print(said("  aliases     {}\n", printable(fmt::format("{}", fmt::join(one.aliases, ", ")))));
  if (!one.summary.empty()) print(said("  summary     {}\n", printable(one.summary)));
  if (one.published != 0)
    print(said("  published   {}, modified {}\n", format_date(one.published),
               format_date(one.modified)));
  for (const auto& cvss : one.cvss)
    print(fmt::format("  CVSS        {:.1f} {} ({})\n", cvss.tenths / 10.0, printable(cvss.vector),
                      printable(cvss.source)));
  if (scores_disagree(one)) print(said("  severity    the sources' scores differ widely\n"));
  for (const auto& severity : one.severity)
    if (!severity.type.starts_with("CVSS"))
      print(said("  severity    {} {} ({})\n", printable(severity.type), printable(severity.score),
                 printable(severity.source)));
  if (const auto& kev = one.exploited)
    print(said("  exploited   CISA KEV since {}, due {}{}\n", format_date(kev->added),
               format_date(kev->due), kev->ransomware ? said(", used by ransomware") : ""));
  if (const auto& epss = one.prediction)
    print(said("  EPSS        {:.2f} % in 30 days{}\n", epss->probability * 100,
               epss->percentile >= 0 ? said(", percentile {:.1f}", epss->percentile * 100) : ""));
  if (!one.cwes.empty())
    print(said("  weaknesses  {}\n", printable(fmt::format("{}", fmt::join(one.cwes, ", ")))));
  for (const auto& reference : one.references)
    print(said("  reference   {}\n", printable(reference.url)));
  if (!one.details.empty()) {
    print("\n");
    for_each_line(one.details,
                  [](std::string_view line) { print(fmt::format("  {}\n", printable(line))); });
  }
}

Result<> print_record(const Database& database, std::uint32_t number) {
  TRY(const auto entry, database.record(number));
  print(fmt::format("{} [{}]{}\n", printable(entry.id), entry.feed,
                    entry.withdrawn ? said(", withdrawn {}", format_date(*entry.withdrawn)) : ""));
  if (!entry.vendor_severity.empty())
    print(said("  severity    {}\n", printable(entry.vendor_severity)));
  if (!entry.summary.empty()) print(said("  summary     {}\n", printable(entry.summary)));
  for (const auto vulnerability : entry.vulnerabilities) {
    TRY(const auto one, database.vulnerability(vulnerability));
    print(said("  about       {}\n", printable(one.id)));
  }
  return {};
}

// The vulnerability that has this id among its aliases: a look at each of them.
Result<std::optional<std::uint32_t>> find_alias(const Database& database, const std::string& id) {
  for (std::uint32_t i = 0; i < database.vulnerability_count(); ++i) {
    TRY(const auto entry, database.vulnerability(i));
    if (std::ranges::find(entry.aliases, id) != entry.aliases.end()) return std::optional(i);
  }
  return std::optional<std::uint32_t>();
}

// True where the id is known, as a vulnerability or as a record.
Result<bool> show(const Database& database, const std::string& id) {
  TRY(auto vulnerability, database.find_vulnerability(id));
  TRY(const auto record, database.find_record(id));
  if (!vulnerability && !record) {
    TRY(vulnerability, find_alias(database, id));
  }
  if (vulnerability) {
    TRY(const auto one, database.describe(*vulnerability));
    print_vulnerability(one);
  }
  for (auto number = record; number && *number < database.record_count(); ++*number) {
    TRY(const auto entry, database.record(*number));
    if (entry.id != id) break;
    TRY_VOID(print_record(database, *number));
  }
  return vulnerability.has_value() || record.has_value();
}

}  // namespace

int db_status_command(const DbReadArguments& arguments) {
  return with_database(arguments.database, [&](const Database& database) -> Result<int> {
    if (arguments.json) {
      write_status_json(database);
    } else {
      print_status(database);
    }
    return exit_ok;
  });
}

int db_show_command(const DbReadArguments& arguments) {
  return with_database(arguments.database, [&](const Database& database) -> Result<int> {
    int code = exit_ok;
    for (const auto& id : arguments.ids) {
      TRY(const bool known, show(database, id));
      if (known) continue;
      complain(said("{}: not in this database", printable(id)));
      code = exit_usage;
    }
    return code;
  });
}

int db_diff_command(const DbReadArguments& arguments) {
  return with_database(arguments.database, [&](const Database& before) -> Result<int> {
    const auto path = pipeline::database_path(arguments.other);
    const auto after = Database::open(path);
    if (!after) return database_failed(after.error(), path);
    TRY(const auto difference, advisories::diff(before, *after));
    for (const auto& one : difference.names)
      print(fmt::format(
          "package\t{}\t{}\t{}\n", advisories::name(one.change),
          printable(one.release.empty() ? one.ecosystem
                                        : fmt::format("{}:{}", one.ecosystem, one.release)),
          printable(one.name)));
    for (const auto& one : difference.vulnerabilities)
      print(
          fmt::format("vulnerability\t{}\t{}\n", advisories::name(one.change), printable(one.id)));
    complain(said("{} package names and {} vulnerabilities differ", difference.names.size(),
                  difference.vulnerabilities.size()));
    return exit_ok;
  });
}

int db_verify_command(const DbReadArguments& arguments) {
  return with_database(arguments.database, [&](const Database& database) -> Result<int> {
    TRY_VOID(database.verify());
    print(said("{}: every block and entry is sound\n", printable(database.path())));
    return exit_ok;
  });
}

}  // namespace tenken::app
