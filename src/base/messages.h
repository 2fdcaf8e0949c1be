// Everything tenken itself says to people, in English and Japanese: one row per message. Text that
// others published (advisories, vendors' notes) is not translated and does not pass through here.
//
// A row's text holds {0}, {1}, … for its arguments and {0|finding|findings} for a word that
// depends on whether argument 0 is "1". Both languages use the same arguments.
//
// Thread rule: pure functions over a constant table.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tenken {

enum class Lang : std::uint8_t { en, ja };
std::optional<Lang> parse_lang(std::string_view name);  // "en", "ja", also "ja_JP.UTF-8"

enum class Message : std::uint16_t {
  // Head of the table.
  label_target,
  label_system,
  label_database,
  label_packages,
  label_coverage,
  coverage_rows,     // ecosystem, rows, date of the newest record
  coverage_partial,  // the same, of which more is published
  coverage_none,     // ecosystem
  system_not_recognised,
  database_dates,  // built, newest record, age in days
  database_built,  // built
  database_is_starter,
  packages_examined,  // count
  // Columns and cells.
  column_id,
  column_severity,
  column_fixed_in,
  column_notes,
  column_title,
  cell_source,  // source package with version
  cell_no_fix,
  cell_fixed_in,  // version
  cell_ransomware,
  severity_unknown,
  severity_none,
  severity_low,
  severity_medium,
  severity_high,
  severity_critical,
  status_affected,
  status_fix_deferred,
  status_will_not_fix,
  status_end_of_life,
  status_under_investigation,
  status_not_running,
  // Foot of the table.
  label_severity,
  label_total,
  label_unknown,
  label_ignored,
  label_warnings,
  total_findings,     // findings, packages
  total_fixable,      // count
  total_exploited,    // count
  total_not_running,  // count
  total_ignored,      // count
  total_hidden,       // count
  nothing_found,
  nothing_found_among_decided,
  ignored_by,  // file or rule
  kind_ecosystem,
  kind_release,
  kind_version,
  kind_package,
  kind_database,
  kind_module,
  kind_vendor,
  kind_feed,
  kind_inventory,
  // Why something is unknown: the reason of an Unknown.
  unknown_no_distribution,
  unknown_distribution,     // os-release id
  unknown_ecosystem,        // ecosystem
  unknown_release,          // ecosystem:release, or an ecosystem without releases
  unknown_release_partial,  // ecosystem:release
  unknown_release_missing,  // ecosystem
  unknown_version_order,    // version, scheme
  unknown_advisory_range,   // what is wrong with it
  unknown_version_missing,
  unknown_name_missing,
  unknown_ecosystem_missing,
  unknown_scheme,  // ecosystem
  unknown_module_label,
  unknown_advisory_stream,
  unknown_vendor,  // vendor, distribution
  unknown_git_ranges,
  unknown_no_ranges,
  unknown_no_packages,
  unknown_unreadable,    // file, what
  unknown_starter,       // command
  unknown_database_old,  // days, command
  // Why an advisory row holds or not: the reason of an Evidence.
  evidence_before_fix,
  evidence_no_fix,
  evidence_listed,
  evidence_within_last_affected,
  evidence_fixed,
  evidence_before_introduced,
  evidence_after_last_affected,
  evidence_not_listed,
  evidence_vendor_not_affected,
  evidence_needs_subscription,  // subscription
  evidence_withdrawn,
  evidence_other_stream,
  // Ignore rules and VEX statements.
  ignore_expired,    // file:line, id, date
  ignore_unmatched,  // file:line, id
  vex_unmatched,     // file, count
  vex_note,          // file, id, status
  vex_skipped,       // file, count, first reason
  // The database, when it cannot be used.
  database_missing,  // path, command
  database_corrupt,  // path, what, command
  // Questions.
  query_source_names,  // count, first name
  // How a run ended.
  exit_findings,    // count, level
  exit_incomplete,  // count
  exit_target,      // target, what
  // Other commands.
  status_newest_record,  // time, age in days
  restore_ended_keys,    // count
  count_,                // number of messages, not one
};

struct MessageText {
  Message id;
  std::string_view en;
  std::string_view ja;
};
std::span<const MessageText> messages();

// The row's text with its arguments put in. A missing argument is a bug of ours.
std::string say_texts(Lang lang, Message message, std::span<const std::string> arguments);

inline std::string message_argument(std::string_view text) {
  return std::string(text);
}
std::string message_argument(std::integral auto number) {
  return std::to_string(number);
}

// say(Lang::en, Message::total_fixable, 3) is "3 with a fix". Arguments are texts or integers.
template <typename... Arguments>
std::string say(Lang lang, Message message, const Arguments&... arguments) {
  if constexpr (sizeof...(arguments) == 0) {
    return say_texts(lang, message, {});
  } else {
    const std::string texts[] = {message_argument(arguments)...};
    return say_texts(lang, message, texts);
  }
}

}  // namespace tenken
