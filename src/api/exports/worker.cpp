#include "api/exports/worker.h"

#include <utility>

namespace tenken::api::exports {
namespace {

constexpr Seconds lease_seconds = 60;
constexpr Seconds ask_interval = 2;  // between two looks whether the export goes on
constexpr Seconds longest_export = 12 * 3600;
constexpr std::int64_t most_attempts = 5;
constexpr Seconds kept_seconds = 90 * 86'400;

// Whether an export goes on: it was not cancelled, it is still this node's, and its time is not up.
// Says so to the store now and then, so that the lease lasts.
class Hold {
 public:
  Hold(const WorkerOptions& options, sql::Connection& connection, const store::Job& job,
       Seconds begun)
      : options_(options),
        connection_(connection),
        job_(job),
        until_(begun + longest_export),
        asked_(options.clock()) {}

  bool goes_on() {
    if (options_.stopping && options_.stopping()) return false;
    const auto now = options_.clock();
    if (now > until_) return false;
    if (now < asked_ + ask_interval) return true;
    asked_ = now;
    const auto held = store::renew(connection_, job_, options_.name, now + lease_seconds);
    if (!held || !*held) return false;
    const auto one = store::export_of(connection_, job_);
    return one && *one && (*one)->status == store::ExportStatus::in_progress;
  }

 private:
  const WorkerOptions& options_;
  sql::Connection& connection_;
  const store::Job& job_;
  Seconds until_;
  Seconds asked_;
};

bool is_kms_key(std::string_view arn) {
  return arn.starts_with("arn:") && arn.contains(":kms:");
}

Outcome<std::int64_t> write(const Task& task, Target& target) {
  auto written = task.one.kind == store::ExportKind::findings ? export_findings(task, target)
                                                              : export_sboms(task, target);
  if (!written) return written;
  if (const auto finished = target.finish(); !finished) return std::unexpected(finished.error());
  return written;
}

}  // namespace

Worker::Worker(WorkerOptions options) : options_(std::move(options)) {}

Result<std::size_t> Worker::work() {
  TRY(auto connection, options_.pool->lease());
  if (!begun_) TRY_VOID(store::release_leases(*connection, store::export_job, options_.name));
  begun_ = true;
  TRY(const auto jobs, store::lease(*connection, store::export_job, options_.name, options_.clock(),
                                    lease_seconds, 1));
  for (const auto& job : jobs) TRY_VOID(run(*connection, job));
  return jobs.size();
}

Result<> Worker::run(sql::Connection& connection, const store::Job& job) {
  TRY(auto found, store::export_of(connection, job));
  if (!found || found->status != store::ExportStatus::in_progress) {
    TRY_VOID(store::finish(connection, job, options_.name));
    return {};
  }
  TRY(const auto begun, store::begin_export(connection, job, options_.name, options_.clock()));
  auto outcome = perform(connection, job, *found, begun);
  if (options_.clock() - begun > longest_export)
    outcome = std::unexpected(failed("INTERNAL_ERROR", "The export took longer than 12 hours"));
  if (!outcome && !outcome.error().cause.empty()) options_.log(job.subject, outcome.error().cause);
  const bool again = !outcome && outcome.error().next == Fault::Next::retry;
  if (again && job.attempts + 1 < most_attempts)
    return store::postpone(connection, job, options_.name, outcome.error().message,
                           options_.clock());
  if (!outcome && outcome.error().next == Fault::Next::stop) return leave(connection, job);
  return end(connection, job, *std::move(found), outcome);
}

Result<> Worker::leave(sql::Connection& connection, const store::Job& job) {
  TRY(const auto found, store::export_of(connection, job));
  if (found && found->status == store::ExportStatus::in_progress)
    return store::release_leases(connection, store::export_job, options_.name);
  TRY_VOID(store::finish(connection, job, options_.name));
  return {};
}

Outcome<std::int64_t> Worker::perform(sql::Connection& connection, const store::Job& job,
                                      const store::Export& one, Seconds begun) {
  Hold hold(options_, connection, job, begun);
  const Task task{.connection = connection,
                  .one = one,
                  .region = options_.region,
                  .work_directory = options_.work_directory,
                  .now = options_.clock(),
                  .keep_going = [&] { return hold.goes_on(); }};
  return one.local_name.empty() ? to_bucket(task) : to_directory(task);
}

Outcome<std::int64_t> Worker::to_bucket(const Task& task) {
  if (!is_kms_key(task.one.kms_key))
    return std::unexpected(failed("MALFORMED_KMS_KEY", "kmsKeyArn is no ARN of a key of KMS"));
  auto credentials = options_.credentials();
  if (!credentials)
    return std::unexpected(failed("INVALID_PERMISSIONS",
                                  "The server has no AWS credentials of its own",
                                  std::move(credentials.error().what)));
  auto sender = options_.sender();
  if (!sender) return std::unexpected(broken(sender.error()));
  aws::S3Client client({.endpoint = options_.s3_endpoint,
                        .region = options_.region,
                        .credentials = *std::move(credentials),
                        .clock = options_.clock,
                        .keep_going = task.keep_going},
                       **sender);
  const auto target = bucket_target(task.one, client);
  return write(task, *target);
}

Outcome<std::int64_t> Worker::to_directory(const Task& task) {
  if (options_.directory.empty())
    return std::unexpected(
        failed("INTERNAL_ERROR", "The server has no directory for exports (--export-dir)"));
  const auto target = directory_target(task.one, options_.directory);
  return write(task, *target);
}

Result<> Worker::end(sql::Connection& connection, const store::Job& job, store::Export one,
                     const Outcome<std::int64_t>& outcome) {
  one.ended = options_.clock();
  one.status = outcome ? store::ExportStatus::succeeded : store::ExportStatus::failed;
  one.items = outcome.value_or(0);
  if (!outcome) {
    one.error_code = outcome.error().code;
    one.error_message = outcome.error().message;
  }
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY_VOID(store::end_export(connection, one));
  TRY_VOID(store::finish(connection, job, options_.name));
  TRY_VOID(store::prune_exports(connection, one.ended - kept_seconds));
  return transaction.commit();
}

}  // namespace tenken::api::exports
