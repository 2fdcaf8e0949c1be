#include "base/messages.h"

#include <algorithm>
#include <array>

#include "base/result.h"
#include "base/text.h"

namespace tenken {
namespace {

using enum Message;

// Severity words are those of IPA and JVN for CVSS (緊急, 重要, 警告, 注意, なし).
constexpr auto rows = std::to_array<MessageText>({
    {label_target, "Target", "対象"},
    {label_system, "System", "OS"},
    {label_database, "Database", "データベース"},
    {label_packages, "Packages", "パッケージ"},
    {label_coverage, "Covers", "対象範囲"},
    {coverage_rows, "{0}: {1} rows, newest {2}", "{0}: {1} 行、最新 {2}"},
    {coverage_partial, "{0}: {1} rows, newest {2}, a part of what is published",
     "{0}: {1} 行、最新 {2}（公開分の一部のみ）"},
    {coverage_none, "{0}: nothing", "{0}: なし"},
    {system_not_recognised, "not recognised", "判別できません"},
    {database_dates, "built {0}, newest record {1} ({2} {2|day|days} ago)",
     "{0} 作成、最新の記録は {1}（{2} 日前）"},
    {database_built, "built {0}, date of the newest record not stated",
     "{0} 作成、最新の記録の日付は不明"},
    {database_is_starter, "starter database: incomplete", "同梱の初期データベース（不完全）"},
    {packages_examined, "{0} examined", "{0} 件を調査"},

    {column_id, "ID", "ID"},
    {column_severity, "SEVERITY", "深刻度"},
    {column_fixed_in, "FIXED IN", "修正版"},
    {column_notes, "NOTES", "備考"},
    {column_title, "TITLE", "概要"},
    {cell_source, "source {0}", "ソース {0}"},
    {cell_no_fix, "no fix", "修正なし"},
    {cell_fixed_in, "fixed in {0}", "修正版 {0}"},
    {cell_ransomware, "ransomware", "ランサムウェア"},
    {severity_unknown, "unknown", "不明"},
    {severity_none, "none", "なし"},
    {severity_low, "low", "注意"},
    {severity_medium, "medium", "警告"},
    {severity_high, "high", "重要"},
    {severity_critical, "critical", "緊急"},
    {status_affected, "affected", "影響あり"},
    {status_fix_deferred, "fix deferred", "修正延期"},
    {status_will_not_fix, "will not fix", "修正予定なし"},
    {status_end_of_life, "end of life", "サポート終了"},
    {status_under_investigation, "under investigation", "調査中"},
    {status_not_running, "kernel not running", "未稼働カーネル"},

    {label_severity, "Severity", "深刻度"},
    {label_total, "Total", "合計"},
    {label_unknown, "Not decided", "判定できなかったもの"},
    {label_ignored, "Ignored", "除外したもの"},
    {label_warnings, "Warnings", "警告"},
    {total_findings, "{0} {0|finding|findings} in {1} {1|package|packages}",
     "{1} 個のパッケージに {0} 件の検出"},
    {total_fixable, "{0} with a fix", "修正版あり {0} 件"},
    {total_exploited, "{0} known to be exploited", "悪用確認済み {0} 件"},
    {total_not_running, "{0} in kernels that do not run", "未稼働カーネル {0} 件"},
    {total_ignored, "{0} ignored", "除外 {0} 件"},
    {total_hidden, "{0} hidden by --severity or --fixed-only",
     "--severity または --fixed-only により非表示 {0} 件"},
    {nothing_found, "Nothing found.", "検出はありません。"},
    {nothing_found_among_decided,
     "Nothing found among what could be decided; what could not is listed below.",
     "判定できた範囲では検出はありません。判定できなかったものは下に示します。"},
    {ignored_by, "by {0}", "{0} による"},
    {kind_ecosystem, "ecosystem", "エコシステム"},
    {kind_release, "release", "リリース"},
    {kind_version, "version", "バージョン"},
    {kind_package, "package", "パッケージ"},
    {kind_database, "database", "データベース"},
    {kind_module, "module", "モジュール"},
    {kind_vendor, "vendor", "提供元"},
    {kind_feed, "feed", "フィード"},
    {kind_inventory, "inventory", "構成情報"},

    {unknown_no_distribution, "no distribution was recognised, so its packages were not matched",
     "ディストリビューションを判別できないため、そのパッケージは照合していません"},
    {unknown_distribution, "no advisories are known for the distribution \"{0}\"",
     "ディストリビューション「{0}」のアドバイザリは知られていません"},
    {unknown_ecosystem, "the database holds nothing for the ecosystem {0}",
     "データベースにエコシステム {0} の記録がありません"},
    {unknown_release, "the database does not cover {0}", "データベースは {0} を対象としていません"},
    {unknown_release_partial, "the database covers {0} only in part",
     "データベースは {0} の一部だけを対象としています"},
    {unknown_release_missing, "{0} needs a release, and none is known",
     "{0} はリリースの指定が必要ですが、不明です"},
    {unknown_version_order, "the version \"{0}\" cannot be ordered by the rules of {1}",
     "バージョン「{0}」は {1} の規則では順序を決められません"},
    {unknown_advisory_range, "a range of the advisory cannot be evaluated: {0}",
     "アドバイザリの範囲を評価できません: {0}"},
    {unknown_version_missing, "the installed version is not known",
     "インストール済みのバージョンが不明です"},
    {unknown_name_missing, "the package has no name, so it was not matched",
     "パッケージに名前の指定がないため、照合していません"},
    {unknown_ecosystem_missing, "the package names no ecosystem, so it was not matched",
     "パッケージにエコシステムの指定がないため、照合していません"},
    {unknown_scheme, "how versions of {0} are ordered is not known",
     "{0} のバージョンの順序規則が不明です"},
    {unknown_module_label, "the package has no modularity label, so its module stream is not known",
     "モジュールラベルがないため、モジュールストリームが不明です"},
    {unknown_advisory_stream, "the advisory does not say for which module stream it is",
     "アドバイザリがどのモジュールストリーム向けか不明です"},
    {unknown_vendor, "built by \"{0}\", not by {1}: the distribution's advisories do not apply",
     "提供元が {1} ではなく「{0}」のため、ディストリビューションのアドバイザリは適用できません"},
    {unknown_git_ranges, "the advisory gives commits only, no versions",
     "アドバイザリにはコミットだけが記され、バージョンがありません"},
    {unknown_no_ranges, "the advisory names the package but no versions",
     "アドバイザリはパッケージ名だけを示し、バージョンを示していません"},
    {unknown_no_packages, "it names no package, so nothing was matched",
     "パッケージの記載がないため、照合していません"},
    {unknown_unreadable, "{0} could not be read: {1}", "{0} を読み取れません: {1}"},
    {unknown_starter, "the starter database holds only a part of the advisories; run `{0}`",
     "同梱の初期データベースはアドバイザリの一部しか含みません。`{0}` を実行してください"},
    {unknown_database_old, "the newest record is {0} {0|day|days} old; run `{1}`",
     "最新の記録が {0} 日前のものです。`{1}` を実行してください"},

    {evidence_before_fix, "the installed version is before the fix",
     "インストール済みのバージョンは修正版より前です"},
    {evidence_no_fix, "no fix is published", "修正版は公開されていません"},
    {evidence_listed, "the installed version is listed as affected",
     "インストール済みのバージョンは影響を受けるものとして列挙されています"},
    {evidence_within_last_affected, "the installed version is not after the last affected one",
     "インストール済みのバージョンは影響を受ける最後のバージョン以前です"},
    {evidence_fixed, "the installed version has the fix",
     "インストール済みのバージョンは修正済みです"},
    {evidence_before_introduced, "the installed version is before the fault came in",
     "インストール済みのバージョンは問題の混入前です"},
    {evidence_after_last_affected, "the installed version is after the last affected one",
     "インストール済みのバージョンは影響を受ける最後のバージョンより後です"},
    {evidence_not_listed, "the installed version is not listed as affected",
     "インストール済みのバージョンは影響を受けるものとして列挙されていません"},
    {evidence_vendor_not_affected, "the vendor says that the package is not affected",
     "提供元はこのパッケージが影響を受けないとしています"},
    {evidence_needs_subscription, "the fix needs a subscription: {0}",
     "修正版には契約が必要です: {0}"},
    {evidence_withdrawn, "the advisory was withdrawn", "アドバイザリは取り下げられました"},
    {evidence_other_stream, "the row is for another module stream",
     "別のモジュールストリームの行です"},

    {ignore_expired, "{0}: the rule for {1} expired on {2} and does not apply",
     "{0}: {1} の除外規則は {2} に期限切れのため適用しません"},
    {ignore_unmatched, "{0}: the rule for {1} matches no finding",
     "{0}: {1} の除外規則に該当する検出はありません"},
    {vex_unmatched, "{0}: {1} {1|statement matches|statements match} no finding",
     "{0}: 該当する検出のない記述が {1} 件あります"},
    {vex_note, "{0}: {1} is stated to be {2}; the finding stays",
     "{0}: {1} は「{2}」とされています。検出はそのまま残します"},
    {vex_skipped, "{0}: {1} {1|statement|statements} could not be read, first: {2}",
     "{0}: 読み取れない記述が {1} 件あります。最初の理由: {2}"},

    {database_missing, "no advisory database at {0}; run `{1}`, or `tenken db build --from DIR`",
     "アドバイザリのデータベースが {0} にありません。`{1}` または `tenken db build --from DIR` "
     "を実行してください"},
    {database_corrupt,
     "the advisory database {0} cannot be used ({1}); make it again: `{2}`, or `tenken db build "
     "--from DIR`",
     "アドバイザリのデータベース {0} を使用できません（{1}）。`{2}` または `tenken db build --from "
     "DIR` で作り直してください"},

    {query_source_names,
     "{0} {0|name has|names have} no advisory in the database, first: {1}; advisories of Debian "
     "and "
     "its kin name source packages, so ask for the source of a binary package",
     "データベースにアドバイザリのない名前が {0} 件あります（最初: {1}）。Debian "
     "系のアドバイザリはソースパッケージ名によるため、バイナリパッケージはそのソース名で照会してく"
     "ださい"},

    {exit_findings, "{0} {0|finding|findings} at or above {1}", "{1} 以上の検出が {0} 件あります"},
    {exit_incomplete, "incomplete: {0} {0|thing|things} could not be decided",
     "不完全: 判定できなかったものが {0} 件あります"},
    {exit_target, "{0} cannot be inspected: {1}", "{0} を調査できません: {1}"},

    {status_newest_record, "newest record {0}, {1} {1|day|days} ago", "最新の記録 {0}（{1} 日前）"},
    {restore_ended_keys,
     "the backup belongs to another secret.key: its {0} access {0|key is|keys are} ended; issue "
     "new ones with tenken admin key create",
     "このバックアップは別の secret.key のものです。アクセスキー {0} 個を無効にしました。"
     "tenken admin key create で発行し直してください"},
});
static_assert(rows.size() == static_cast<std::size_t>(Message::count_));
static_assert([] {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].id != static_cast<Message>(i)) return false;
  return true;
}());

// "0" or "0|finding|findings", the text between two braces.
std::string_view expand(std::string_view placeholder, std::span<const std::string> arguments) {
  const auto halves = split_once(placeholder, '|');
  const auto index = parse_uint(halves.first);
  CHECK(index && *index < arguments.size());
  const std::string& argument = arguments[*index];
  if (!halves.second) return argument;
  const auto words = split_once(*halves.second, '|');
  return argument == "1" ? words.first : words.second.value_or(words.first);
}

}  // namespace

std::optional<Lang> parse_lang(std::string_view text) {
  const auto language = text.substr(0, text.find_first_of("_.-@"));
  if (language == "ja") return Lang::ja;
  if (language == "en" || language == "C" || language == "POSIX") return Lang::en;
  return std::nullopt;
}

std::span<const MessageText> messages() {
  return rows;
}

std::string say_texts(Lang lang, Message message, std::span<const std::string> arguments) {
  CHECK(message < Message::count_);
  const MessageText& row = rows[static_cast<std::size_t>(message)];
  std::string_view rest = lang == Lang::ja ? row.ja : row.en;
  std::string out;
  while (!rest.empty()) {
    const auto open = rest.find('{');
    out += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = rest.find('}', open);
    CHECK(close != std::string_view::npos);
    out += expand(rest.substr(open + 1, close - open - 1), arguments);
    rest.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace tenken
