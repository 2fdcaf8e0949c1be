#include <fmt/format.h>

#include "advisories/database.h"
#include "app/commands.h"
#include "app/console.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "match/matcher.h"
#include "pipeline/database_location.h"
#include "sbom/purl.h"
#include "version/ecosystem.h"

namespace tenken::app {
namespace {

Package package_of(std::string_view ecosystem_and_release, std::string_view name,
                   std::string_view version) {
  const auto [ecosystem, release] = version::split_release(ecosystem_and_release);
  Package package;
  package.ecosystem = ecosystem;
  package.release = release;
  package.name = name;
  package.version = version;
  return package;
}

void write_evidence(json::Writer& out, const std::vector<Evidence>& evidence) {
  out.key("evidence").begin_array();
  for (const auto& one : evidence) {
    out.begin_object()
        .member("advisory", one.advisory)
        .member("feed", one.feed)
        .member("range", one.range);
    out.member_if("compared", one.compared)
        .member_if("scheme", one.scheme)
        .member("reason", one.reason)
        .end_object();
  }
  out.end_array();
}

// One line: what was asked for, every match, everything undecided.
Result<std::string> answer(const advisories::Database& database, const std::string& ecosystem,
                           const Package& package, const match::PackageMatches& matches) {
  json::Writer out;
  out.begin_object()
      .member("ecosystem", ecosystem)
      .member("name", package.name)
      .member("version", package.version);
  out.key("matches").begin_array();
  for (const auto& one : matches.findings) {
    TRY(const auto known, database.vulnerability(one.vulnerability));
    out.begin_object()
        .member("id", one.id)
        .strings("aliases", known.aliases)
        .strings("advisories", one.advisories);
    out.member("status", name(one.status)).member_if("status_note", one.status_note);
    out.member("severity", name(one.severity)).member("fixed", one.fixed_version);
    write_evidence(out, one.evidence);
    out.end_object();
  }
  out.end_array().key("unknown").begin_array();
  for (const auto& one : matches.unknown) {
    out.begin_object()
        .member("kind", one.kind)
        .member("subject", one.subject)
        .member("reason", one.reason);
    out.key("count").integer(static_cast<std::int64_t>(one.count)).end_object();
  }
  return out.end_array().end_object().take();
}

std::string bad_line(std::string_view line, std::string_view why) {
  json::Writer out;
  out.begin_object()
      .member("ecosystem", "")
      .member("name", "")
      .member("version", "")
      .key("matches")
      .begin_array()
      .end_array();
  out.key("unknown")
      .begin_array()
      .begin_object()
      .member("kind", "line")
      .member("subject", printable(line.substr(0, 200)));
  out.member("reason", said_of(why)).key("count").integer(1).end_object().end_array().end_object();
  return out.take();
}

class Query {
 public:
  Query(const advisories::Database& database, Lang lang)
      : database_(database),
        matcher_(database, {.now = now(),
                            .running_kernel = {},
                            .esm_attached = false,
                            .explain = false,
                            .lang = lang}),
        lang_(lang) {}

  std::string line(const Line& text) {
    if (!text) return bad_line({}, text.error().what);
    const auto fields = split(*text, '\t');
    if (fields.size() != 3)
      return bad_line(*text, "a line is ecosystem, name and version with tabs between");
    return package(std::string(fields[0]), package_of(fields[0], fields[1], fields[2]));
  }

  std::string package(const std::string& ecosystem, const Package& package) {
    auto text = matched(ecosystem, package);
    if (text) return *std::move(text);
    failure_ = std::move(text).error();
    return bad_line(package.name, failure_->what);
  }

  int finish(int code) const {
    if (failure_) return database_failed(*failure_, database_.path());
    if (nameless_ > 0)
      complain(say(lang_, Message::query_source_names, nameless_, printable(first_nameless_)));
    return code;
  }

 private:
  Result<std::string> matched(const std::string& ecosystem, const Package& package) {
    TRY(const auto matches, matcher_.match(package));
    if (matches.findings.empty()) TRY_VOID(note_name(package));
    return answer(database_, ecosystem, package, matches);
  }

  // A binary package's name where the advisories name sources would look clean without a word.
  Result<> note_name(const Package& package) {
    const auto* ecosystem = version::find_ecosystem(package.ecosystem);
    const bool by_source = ecosystem != nullptr && ecosystem->key == version::PackageKey::source &&
                           package.source_name.empty();
    if (!by_source || package.name.empty()) return {};
    const auto name = version::normal_name(package.ecosystem, package.name);
    const auto release = version::normal_release(package.ecosystem, package.release);
    if (database_.coverage(package.ecosystem, release).empty()) return {};  // said as unknown
    for (const auto& one : {release, std::string(), "Pro:" + release}) {
      TRY(const auto rows, database_.rows(package.ecosystem, one, name));
      if (!rows.empty()) return {};
    }
    if (nameless_++ == 0) first_nameless_ = package.name;
    return {};
  }

  const advisories::Database& database_;
  match::Matcher matcher_;
  Lang lang_;
  std::optional<Error> failure_;
  std::size_t nameless_ = 0;  // names without a row where rows are by source
  std::string first_nameless_;
};

int usage() {
  complain(said("query needs PURL, or --ecosystem E NAME VERSION, or --batch [FILE]"));
  return exit_usage;
}

}  // namespace

int query_command(const QueryArguments& arguments) {
  const bool by_ecosystem = !arguments.ecosystem.empty();
  if (!arguments.batch && arguments.words.size() != (by_ecosystem ? 2u : 1u)) return usage();
  const auto path = pipeline::database_path(arguments.database);
  const auto database = advisories::Database::open(path);
  if (!database) return database_failed(database.error(), path);
  Query query(*database, arguments.lang);
  if (arguments.batch) {
    const int code =
        answer_lines(*arguments.batch, [&](const Line& line) { return query.line(line); });
    return query.finish(code);
  }
  if (by_ecosystem) {
    print(query.package(arguments.ecosystem,
                        package_of(arguments.ecosystem, arguments.words[0], arguments.words[1])) +
          "\n");
    return query.finish(exit_ok);
  }
  const auto purl = sbom::parse_purl(arguments.words[0]);
  if (!purl) {
    complain(fmt::format("{}: {}", printable(arguments.words[0]), printable(purl.error().what)));
    return exit_usage;
  }
  const auto package = sbom::package_from_purl(*purl);
  auto ecosystem = package.release.empty()
                       ? package.ecosystem
                       : fmt::format("{}:{}", package.ecosystem, package.release);
  if (ecosystem.empty()) ecosystem = "pkg:" + purl->type;
  print(query.package(ecosystem, package) + "\n");
  return query.finish(exit_ok);
}

}  // namespace tenken::app
