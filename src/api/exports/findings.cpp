// The findings of a question as CSV or JSON.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "api/exports/contents.h"
#include "api/finding_document.h"
#include "base/file.h"
#include "findings/criteria.h"
#include "report/finding_csv.h"
#include "store/finding_query.h"
#include "store/organisation.h"

namespace tenken::api::exports {
namespace {

constexpr std::size_t findings_at_once = 200;
constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
constexpr std::string_view file_shown = "the export's temporary file";

// A file that is gone when it is closed, also where the process is killed.
Result<Fd> nameless_file(const std::string& directory) {
  auto name = directory + "/export-XXXXXX";
  Fd out(::mkostemp(name.data(), O_CLOEXEC));
  if (!out.valid()) return from_errno(errno, directory);
  if (::unlink(name.c_str()) != 0) return from_errno(errno, name);
  return out;
}

// Writes findings in one of the two formats.
class FindingsFile {
 public:
  FindingsFile(Fd file, const Task& task)
      : file_(std::move(file)), task_(task), csv_(task.one.format == "CSV") {
    if (csv_)
      text_ = report::finding_csv_head();
    else
      text_ = "{\"findings\":[";
  }

  Result<> add(const store::FindingRow& finding) {
    json::Writer document;
    write_finding(document, finding, task_.region);
    if (csv_) {
      TRY(const auto value, parser_.parse(document.text()));
      text_ += report::finding_csv_line(value, task_.now);
    } else {
      if (count_ > 0) text_ += ",\n";
      text_ += document.text();
    }
    ++count_;
    return text_.size() < buffer_bytes ? Result<>() : flush();
  }

  Result<> finish() {
    if (!csv_) text_ += "]}\n";
    return flush();
  }

  std::int64_t count() const { return count_; }
  int fd() const { return file_.get(); }
  std::uint64_t size() const { return size_; }

 private:
  Result<> flush() {
    TRY_VOID(write_fd(file_.get(), text_, file_shown));
    size_ += text_.size();
    text_.clear();
    return {};
  }

  Fd file_;
  const Task& task_;
  bool csv_;
  json::Parser parser_;
  std::string text_;
  std::int64_t count_ = 0;
  std::uint64_t size_ = 0;
};

// Only what is active, where the question does not say.
Result<findings::Criteria> criteria_of(const store::Export& one) {
  TRY(auto criteria, findings::read_criteria(one.criteria));
  if (criteria.find(findings::TextField::status) == nullptr)
    criteria.texts.push_back({.field = findings::TextField::status,
                              .tests = {{findings::Comparison::equals, "ACTIVE"}}});
  return criteria;
}

// True: all were written. False: stopped.
Result<bool> add_all(const Task& task, FindingsFile& file) {
  // The order of an index whose keys do not change while a finding stays what it is.
  store::FindingQuestion question{
      .order = store::FindingOrder::first_observed, .descending = false, .limit = findings_at_once};
  TRY(question.criteria, criteria_of(task.one));
  TRY(question.accounts, store::visible_accounts(task.connection, task.one.account));
  while (task.keep_going()) {
    TRY(auto page, store::list_findings(task.connection, question));
    for (const auto& finding : page.findings) TRY_VOID(file.add(finding));
    if (page.next.empty()) {
      TRY_VOID(file.finish());
      return true;
    }
    question.after = std::move(page.next);
  }
  return false;
}

std::string name_of(const store::Export& one) {
  if (!one.local_name.empty()) return {};
  return fmt::format("{}.{}", one.id, one.format == "CSV" ? "csv" : "json");
}

}  // namespace

Outcome<std::int64_t> export_findings(const Task& task, Target& target) {
  auto opened = nameless_file(task.work_directory);
  if (!opened) return std::unexpected(retry_later(opened.error()));
  FindingsFile file(*std::move(opened), task);
  const auto whole = add_all(task, file);
  if (!whole) return std::unexpected(retry_later(whole.error()));
  if (!*whole) return std::unexpected(stopped());
  if (file.count() == 0)
    return std::unexpected(failed("NO_FINDINGS_FOUND", "No finding meets the criteria"));
  const auto put = target.put_file(name_of(task.one), file.fd(), file.size());
  if (!put) return std::unexpected(put.error());
  return file.count();
}

}  // namespace tenken::api::exports
