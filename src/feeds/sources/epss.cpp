// FIRST's EPSS: how probable it is that a CVE is exploited in the next 30 days. A table of comma
// separated values under a comment with the date, both of which changed over the years.
// Source: https://www.first.org/epss/data_stats.
#include <algorithm>

#include <fmt/format.h>

#include "base/archive.h"
#include "base/text.h"
#include "feeds/feed.h"

namespace tenken::feeds {
namespace epss_ {

constexpr std::size_t limit_bytes = std::size_t{256} << 20;  // today's table is about 11 MB

struct Columns {
  std::size_t cve = 0;
  std::size_t probability = 0;
  std::optional<std::size_t> percentile;  // not before September 2021
};

Result<Columns> read_header(std::string_view line) {
  const auto names = split(line, ',');
  const auto find = [&](std::string_view name) -> std::optional<std::size_t> {
    const auto at = std::ranges::find(names, name);
    if (at == names.end()) return std::nullopt;
    return static_cast<std::size_t>(at - names.begin());
  };
  const auto cve = find("cve");
  const auto probability = find("epss");
  if (!cve || !probability) return invalid("no header with the columns cve and epss");
  return Columns{*cve, *probability, find("percentile")};
}

// "#model_version:v2023.03.01,score_date:2024-10-25T00:00:00+0000"; no comment before 2022, and
// without a date in it the date is not stated.
Seconds read_date(std::string_view comment) {
  for (const auto part : split(comment.substr(1), ',')) {
    const auto [key, value] = split_once(part, ':');
    if (trim(key) == "score_date") return parse_time(trim(value.value_or(""))).value_or(0);
  }
  return 0;
}

// A share of one; "nan" and numbers outside are not.
std::optional<double> parse_share(std::string_view text) {
  const auto value = parse_double(text);
  if (!value || !(*value >= 0 && *value <= 1)) return std::nullopt;
  return value;
}

Result<VulnerabilityNote> read_row(std::string_view line, const Columns& columns, Seconds date) {
  const auto cells = split(line, ',');
  const auto cell = [&](std::size_t at) {
    return at < cells.size() ? cells[at] : std::string_view();
  };
  VulnerabilityNote note{.id = std::string(cell(columns.cve)), .modified = date};
  if (!note.id.starts_with("CVE-")) return invalid("no id of a CVE");
  const auto probability = parse_share(cell(columns.probability));
  if (!probability) return invalid("the probability is no number from 0 to 1");
  ExploitPrediction prediction{.probability = *probability, .percentile = -1, .date = date};
  if (columns.percentile) {
    const auto percentile = parse_share(cell(*columns.percentile));
    if (!percentile) return invalid("the percentile is no number from 0 to 1");
    prediction.percentile = *percentile;
  }
  note.prediction = prediction;
  return note;
}

Result<> parse(const Document& document, Sink& sink) {
  TRY(const auto text, decompress(document.bytes, limit_bytes));
  std::string_view rest = text;
  const auto take_line = [&] {
    const auto [line, after] = split_once(rest, '\n');
    rest = after.value_or("");
    return trim(line);
  };
  auto header = take_line();
  Seconds date = 0;
  if (header.starts_with('#')) {
    date = read_date(header);
    header = take_line();
  }
  TRY(const auto columns, read_header(header));
  std::size_t row = 0;
  for_each_line(rest, [&](std::string_view line) {
    ++row;
    if (line.empty()) return;
    auto note = read_row(line, columns, date);
    if (note) return sink.note(*std::move(note));
    sink.skip({std::string(document.path), fmt::format("row {}", row), note.error().what});
  });
  return {};
}

constexpr std::string_view start[] = {
    "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"};

constexpr Place places[] = {
    {.file = "epss/epss.tar.zst",
     .member = "**/synthetic/epss_scores-*.csv.gz",
     .newest_only = true},
    {.file = "epss.empiricalsecurity.com/epss_scores-*.csv.gz", .newest_only = true},
};

}  // namespace epss_

extern constinit const Feed epss{
    .id = "epss",
    .title = "EPSS: Exploit Prediction Scoring System",
    .licence = "free to use with attribution to FIRST.org",
    .places = epss_::places,
    .fetching = {.start = epss_::start, .interval_minutes = 1440},
    .parse = epss_::parse,
};

}  // namespace tenken::feeds
