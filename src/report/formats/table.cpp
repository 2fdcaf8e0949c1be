// The table that a person reads: findings grouped by package, then counts, then what could not be
// decided, which no option hides. Ids and versions are never cut; titles are, or go to a line of
// their own where the terminal is narrow.
#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "base/text.h"
#include "base/width.h"
#include "report/format.h"
#include "report/pieces.h"
#include "report/table_groups.h"
#include "report/words.h"

namespace tenken::report {
namespace table_ {
namespace {

using enum Message;

// Columns. Holds what vendors publish ("2.4.37-43.module_el8.5.0+2597+c4b14997.alma"); a wider cell
// moves its row's rest to the right.
constexpr std::size_t column_cap = 60;
constexpr std::size_t note_cap = 34;  // of a vendor's words, which marks follow
constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::size_t title_least = 28;  // columns; with less the title goes to the next line

constexpr std::array by_weight{SeverityLevel::critical, SeverityLevel::high,
                               SeverityLevel::medium,   SeverityLevel::low,
                               SeverityLevel::none,     SeverityLevel::unknown};

// ANSI select graphic rendition (ECMA-48 8.3.117).
constexpr std::string_view bold = "1";
constexpr std::string_view dim = "2";
constexpr std::string_view alarm = "1;35";

std::string_view colour_of(SeverityLevel level) {
  switch (level) {
    case SeverityLevel::critical:
      return "1;31";
    case SeverityLevel::high:
      return "31";
    case SeverityLevel::medium:
      return "33";
    case SeverityLevel::low:
      return "36";
    case SeverityLevel::none:
    case SeverityLevel::unknown:
      return dim;
  }
  return dim;
}

// 0.9312 is "93%", 0.042 "4.2%", 0.0004 "<0.1%".
std::string percent(double probability) {
  const double value = probability * 100;
  if (value >= 9.95) return fmt::format("{:.0f}%", value);
  if (value >= 0.05) return fmt::format("{:.1f}%", value);
  return "<0.1%";
}

struct Widths {
  std::size_t id = 0;
  std::size_t severity = 0;
  std::size_t fix = 0;
  std::size_t notes = 0;
};

// What the rows of one vulnerability have in common.
struct Known {
  std::string id;
  std::string marks;  // "KEV EPSS 93%"
  std::string title;
  bool exploited = false;
};

// One finding in words.
struct Row {
  const Known* known = nullptr;
  SeverityLevel level = SeverityLevel::unknown;
  std::string_view severity;
  std::string fix;
  std::string notes;
};

class Table {
 public:
  Table(const ScanResult& result, const RenderOptions& options, const Output& out)
      : result_(result), options_(options), out_(out) {
    for (const auto level : by_weight)
      severities_[static_cast<std::size_t>(level)] = tell(word(level));
  }

  Result<> write() {
    head();
    TRY_VOID(body());
    foot();
    return out_(text_);
  }

 private:
  template <typename... Arguments>
  std::string tell(Message message, const Arguments&... arguments) const {
    return say(options_.lang, message, arguments...);
  }
  bool paints(std::string_view code, std::string_view text) const {
    return options_.colour && !code.empty() && !text.empty();
  }
  std::string paint(std::string_view code, std::string_view text) const {
    return paints(code, text) ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  void add_painted(std::string_view code, std::string_view text) {
    if (paints(code, text)) {
      text_ += paint(code, text);
    } else {
      text_ += text;
    }
  }
  void line(std::string_view text) {
    text_ += text;
    text_ += '\n';
  }

  void head();
  Result<> body();
  void column_heads();
  void group(const Group& group, std::span<const Row> rows);
  void row(const Row& row);
  void foot();
  void counts();
  std::string totals() const;
  void unknown();
  void reason(std::string_view kind, std::string_view subject, std::string_view why,
              std::size_t count);
  void ignored();
  void warnings();
  Known describe(const Vulnerability& vulnerability) const;
  Row describe(const Finding& finding) const;
  std::string notes(const Finding& finding, std::string_view marks) const;
  std::string_view severity(SeverityLevel level) const {
    return severities_[static_cast<std::size_t>(level)];
  }
  std::string database_line() const;
  std::string coverage_line(const UsedCoverage& used) const;

  const ScanResult& result_;
  const RenderOptions& options_;
  const Output& out_;
  std::string text_;
  Widths widths_;
  std::array<std::string, by_weight.size()> severities_;
  std::vector<Known> known_;  // by Finding::vulnerability
};

std::string Table::database_line() const {
  const DatabaseState& database = result_.database;
  const auto built = format_date(database.built);
  std::string text =
      database.newest_record == 0
          ? tell(database_built, built)
          : tell(database_dates, built, format_date(database.newest_record),
                 std::max<Seconds>(0, options_.now - database.newest_record) / 86'400);
  if (database.starter) text += "; " + paint("33", tell(database_is_starter));
  return text;
}

void Table::head() {
  const Inventory& inventory = result_.inventory;
  const auto& os = inventory.os;
  const std::string system =
      !os.pretty_name.empty() ? os.pretty_name : os.id + (os.id.empty() ? "" : " ") + os.version_id;
  std::vector<std::pair<Message, std::string>> lines{
      {label_target, printable(inventory.name)},
      {label_system, system.empty() ? tell(system_not_recognised) : printable(system)},
      {label_database, database_line()},
      {label_packages, tell(packages_examined, result_.counted_packages)},
  };
  for (const UsedCoverage& used : result_.database.used)
    lines.emplace_back(label_coverage, coverage_line(used));
  std::size_t width = 0;
  for (const auto& [label, text] : lines) width = std::max(width, display_width(tell(label)));
  for (const auto& [label, text] : lines)
    line(paint(dim, pad_width(tell(label), width)) + "  " + text);
  line("");
}

std::string Table::coverage_line(const UsedCoverage& used) const {
  if (used.rows == 0) return tell(coverage_none, printable(used.ecosystem));
  const auto newest = used.newest == 0 ? std::string("-") : format_date(used.newest);
  return tell(used.partial ? coverage_partial : coverage_rows, printable(used.ecosystem), used.rows,
              newest);
}

std::string Table::notes(const Finding& finding, std::string_view marks) const {
  std::string text;
  if (finding.status != FindingStatus::affected)
    text = tell(word(finding.status));
  else if (!finding.status_note.empty())
    text = fit_width(printable(finding.status_note), note_cap);
  if (!text.empty() && !marks.empty()) text += ' ';
  return text.append(marks);
}

Known Table::describe(const Vulnerability& vulnerability) const {
  const bool own_words = options_.lang == Lang::ja && !vulnerability.summary_ja.empty();
  Known known{.id = printable(vulnerability.id),
              .title = printable(own_words ? vulnerability.summary_ja : title(vulnerability)),
              .exploited = vulnerability.exploited.has_value()};
  // Published text stays in its language, marked where that is not the user's.
  if (!known.title.empty() && options_.lang == Lang::ja && !own_words)
    known.title.insert(0, "[en] ");
  if (const auto& kev = vulnerability.exploited)
    known.marks = kev->ransomware ? fmt::format("KEV({})", tell(cell_ransomware)) : "KEV";
  if (const auto& epss = vulnerability.prediction)
    known.marks += (known.exploited ? " EPSS " : "EPSS ") + percent(epss->probability);
  return known;
}

Row Table::describe(const Finding& finding) const {
  const Known& known = known_[finding.vulnerability];
  return {
      .known = &known,
      .level = finding.severity,
      .severity = severity(finding.severity),
      .fix = finding.fixed_version.empty() ? tell(cell_no_fix) : printable(finding.fixed_version),
      .notes = notes(finding, known.marks)};
}

void Table::column_heads() {
  line(paint(dim, "  " + pad_width(tell(column_id), widths_.id) + "  " +
                      pad_width(tell(column_severity), widths_.severity) + "  " +
                      pad_width(tell(column_fixed_in), widths_.fix) + "  " +
                      pad_width(tell(column_notes), widths_.notes) + "  " + tell(column_title)));
}

void Table::row(const Row& row) {
  const auto& [id, marks, title, exploited] = *row.known;
  text_ += "  ";
  add_painted(bold, id);
  std::size_t used = 2 + display_width(id);
  // Every cell starts two blanks after the one before, or at its column where that is further.
  std::size_t column = 2 + widths_.id + 2;
  const auto put = [&](std::string_view code, std::string_view cell, std::size_t width) {
    const auto blanks = column > used + 2 ? column - used : 2;
    text_.append(blanks, ' ');
    add_painted(code, cell);
    used += blanks + display_width(cell);
    column += width + 2;
  };
  put(colour_of(row.level), row.severity, widths_.severity);
  put("", row.fix, widths_.fix);
  if (!row.notes.empty())
    put(exploited ? alarm : dim, row.notes, widths_.notes);
  else
    column += widths_.notes + 2;
  if (title.empty()) return line("");
  const auto start = std::max(used + 2, column);
  if (options_.width == 0) {
    put(dim, title, 0);
  } else if (start + title_least <= options_.width) {
    put(dim, fit_width(title, options_.width - start), 0);
  } else {
    text_ += "\n      ";
    add_painted(dim, fit_width(title, std::max(options_.width, title_least) - 6));
  }
  line("");
}

void Table::group(const Group& group, std::span<const Row> rows) {
  const Package& first = *group.packages.front();
  std::string text = paint(bold, heading(group));
  const bool other_source =
      !first.source_name.empty() &&
      (first.source_name != first.name ||
       (!first.source_version.empty() && !first.version.ends_with(first.source_version)));
  if (other_source) {
    const auto source = first.source_name + " " + first.source_version;
    text += "  " + paint(dim, "(" + tell(cell_source, printable(trim(source))) + ")");
  } else if (first.kind != "deb" && first.kind != "rpm" && first.kind != "apk" &&
             !first.location.empty()) {
    text += "  " + paint(dim, "(" + printable(first.location) + ")");
  }
  line(text);
  for (const Row& one : rows) row(one);
  line("");
}

Result<> Table::body() {
  if (result_.findings.empty()) {
    const bool decided = result_.unknown.empty();
    line(paint(bold, tell(decided ? nothing_found : nothing_found_among_decided)));
    line("");
    return {};
  }
  widths_ = {display_width(tell(column_id)), display_width(tell(column_severity)),
             display_width(tell(column_fixed_in)), display_width(tell(column_notes))};
  const auto widen = [](std::size_t& width, std::string_view cell) {
    width = std::max(width, std::min(display_width(cell), column_cap));
  };
  known_.reserve(result_.vulnerabilities.size());
  for (const Vulnerability& one : result_.vulnerabilities) known_.push_back(describe(one));
  const auto groups = group_findings(result_);
  std::vector<Row> rows;
  rows.reserve(result_.findings.size());
  for (const Group& one : groups) {
    for (const Finding& finding : one.findings) {
      const Row& row = rows.emplace_back(describe(finding));
      widen(widths_.id, row.known->id);
      widen(widths_.severity, row.severity);
      widen(widths_.fix, row.fix);
      widen(widths_.notes, row.notes);
    }
  }
  column_heads();
  std::span<const Row> rest = rows;
  for (const Group& one : groups) {
    group(one, rest.first(one.findings.size()));
    rest = rest.subspan(one.findings.size());
    if (text_.size() < piece_bytes) continue;
    TRY_VOID(out_(text_));
    text_.clear();
  }
  return {};
}

std::string Table::totals() const {
  std::size_t count = 0, packages = 0, fixable = 0, exploited = 0, not_running = 0;
  const Finding* last = nullptr;  // that counted: findings are sorted by package
  for (const Finding& finding : result_.findings) {
    if (finding.status == FindingStatus::not_running) {
      ++not_running;
      continue;
    }
    ++count;
    packages += last == nullptr || last->package != finding.package ? 1 : 0;
    last = &finding;
    fixable += finding.fixed_version.empty() ? 0 : 1;
    exploited += vulnerability(result_, finding).exploited ? 1 : 0;
  }
  std::string text = tell(total_findings, count, packages);
  const auto add = [&](Message message, std::size_t number, std::string_view code) {
    if (number > 0)
      text += (options_.lang == Lang::ja ? "、" : ", ") + paint(code, tell(message, number));
  };
  add(total_fixable, fixable, "");
  add(total_exploited, exploited, alarm);
  add(total_not_running, not_running, dim);
  add(total_ignored, result_.ignored.size(), dim);
  add(total_hidden, result_.hidden, dim);
  return text;
}

void Table::counts() {
  std::array<std::size_t, by_weight.size()> numbers{};
  for (const Finding& finding : result_.findings)
    if (finding.status != FindingStatus::not_running)
      ++numbers[static_cast<std::size_t>(finding.severity)];
  std::string text;
  for (const auto level : by_weight) {
    const auto number = numbers[static_cast<std::size_t>(level)];
    if (!text.empty()) text += "  ";
    text +=
        paint(number == 0 ? dim : colour_of(level), fmt::format("{} {}", severity(level), number));
  }
  const auto width =
      std::max(display_width(tell(label_severity)), display_width(tell(label_total)));
  line(paint(dim, pad_width(tell(label_severity), width)) + "  " + text);
  line(paint(dim, pad_width(tell(label_total), width)) + "  " + totals());
}

void Table::reason(std::string_view kind, std::string_view subject, std::string_view why,
                   std::size_t count) {
  const auto times = count > 1 ? fmt::format(" ×{}", count) : std::string();
  const auto start =
      fmt::format("  {}  {}{}", kind_word(options_.lang, kind), printable(subject), times);
  const auto rest = printable(why);
  const bool fits =
      options_.width == 0 || display_width(start) + 2 + display_width(rest) <= options_.width;
  line(start + (fits ? ": " : "\n      ") + rest);
}

void Table::unknown() {
  if (result_.unknown.empty()) return;
  line("");
  line(paint("33", tell(label_unknown)));
  for (const Unknown& unknown : result_.unknown)
    reason(unknown.kind, unknown.subject, unknown.reason, unknown.count);
}

void Table::ignored() {
  if (result_.ignored.empty()) return;
  line("");
  line(paint(dim, tell(label_ignored)));
  for (const Finding& finding : result_.ignored) {
    const Package& package = report::package(result_, finding);
    CHECK(finding.excluded != nullptr);
    line(fmt::format("  {}  {} {}  {}: {}", printable(finding.id), printable(package.name),
                     printable(package.version), tell(ignored_by, printable(finding.excluded->by)),
                     printable(finding.excluded->reason)));
  }
}

void Table::warnings() {
  if (result_.warnings.empty()) return;
  line("");
  line(paint("33", tell(label_warnings)));
  for (const auto& warning : result_.warnings) line("  " + printable(warning));
}

void Table::foot() {
  counts();
  ignored();
  unknown();
  warnings();
}

Result<> write(const ScanResult& result, const RenderOptions& options, const Output& out) {
  return Table(result, options, out).write();
}

}  // namespace
}  // namespace table_

extern constinit const Format table{
    .id = "table", .media_type = "text/plain; charset=utf-8", .write = table_::write};

}  // namespace tenken::report
