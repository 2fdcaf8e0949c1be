#include "store/jobs.h"

#include <algorithm>

#include "sql/dialect.h"

namespace tenken::store {
namespace {

constexpr std::int64_t longest_delay_seconds = 3600;

Seconds delay_after(std::int64_t attempts) {
  return std::min(longest_delay_seconds, std::int64_t{1} << std::min<std::int64_t>(attempts, 12));
}

}  // namespace

Result<> enqueue(sql::Connection& connection, std::string_view kind, std::string_view subject,
                 std::string_view payload, Seconds run_after) {
  TRY(const auto changed,
      connection.run("INSERT INTO job (kind, subject, payload, run_after, created_at) "
                     "VALUES (?1, ?2, ?3, ?4, ?4) "
                     "ON CONFLICT (kind, subject) DO UPDATE SET version = job.version + 1, "
                     "payload = excluded.payload, attempts = 0, "
                     "run_after = CASE WHEN job.run_after < excluded.run_after "
                     "THEN job.run_after ELSE excluded.run_after END",
                     kind, subject, payload, run_after));
  CHECK(changed == 1);
  return {};
}

Result<> enqueue_once(sql::Connection& connection, std::string_view kind, std::string_view subject,
                      std::string_view payload, Seconds run_after) {
  TRY(const auto added,
      connection.run("INSERT INTO job (kind, subject, payload, run_after, created_at) "
                     "VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (kind, subject) DO NOTHING",
                     kind, subject, payload, run_after));
  CHECK(added <= 1);
  return {};
}

Result<> enqueue_at_latest(sql::Connection& connection, std::string_view kind,
                           std::string_view subject, Seconds run_after) {
  TRY(const auto changed,
      connection.run("INSERT INTO job (kind, subject, payload, run_after, created_at) "
                     "VALUES (?1, ?2, '', ?3, ?3) "
                     "ON CONFLICT (kind, subject) DO UPDATE SET run_after = excluded.run_after "
                     "WHERE job.run_after > excluded.run_after",
                     kind, subject, run_after));
  CHECK(changed <= 1);
  return {};
}

Result<std::vector<Job>> lease(sql::Connection& connection, std::string_view kind,
                               std::string_view owner, Seconds now, Seconds lease_seconds,
                               std::int64_t limit) {
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  std::string due =
      "SELECT kind, subject, version, payload, attempts FROM job WHERE kind = ?1 "
      "AND run_after <= ?2 AND lease_until <= ?2 ORDER BY run_after, subject LIMIT ?3";
  due += sql::dialect(connection.engine()).skip_locked;
  std::vector<Job> jobs;
  {
    TRY(auto rows, connection.query(due, kind, now, limit));
    while (true) {
      TRY(const auto* row, rows->next());
      if (row == nullptr) break;
      jobs.push_back({.kind = row->string(0),
                      .subject = row->string(1),
                      .version = row->integer(2),
                      .payload = row->string(3),
                      .attempts = row->integer(4)});
    }
  }
  for (const auto& job : jobs) {
    TRY(const auto taken, connection.run("UPDATE job SET lease_owner = ?3, lease_until = ?4 "
                                         "WHERE kind = ?1 AND subject = ?2",
                                         job.kind, job.subject, owner, now + lease_seconds));
    CHECK(taken == 1);
  }
  TRY_VOID(transaction.commit());
  return jobs;
}

Result<bool> renew(sql::Connection& connection, const Job& job, std::string_view owner,
                   Seconds until) {
  TRY(const auto held, connection.run("UPDATE job SET lease_until = ?4 WHERE kind = ?1 "
                                      "AND subject = ?2 AND lease_owner = ?3",
                                      job.kind, job.subject, owner, until));
  return held == 1;
}

Result<> set_payload(sql::Connection& connection, const Job& job, std::string_view owner,
                     std::string_view payload) {
  TRY(const auto changed, connection.run("UPDATE job SET payload = ?4 WHERE kind = ?1 "
                                         "AND subject = ?2 AND lease_owner = ?3",
                                         job.kind, job.subject, owner, payload));
  CHECK(changed <= 1);
  return {};
}

Result<bool> finish(sql::Connection& connection, const Job& job, std::string_view owner) {
  TRY(const auto done,
      connection.run("DELETE FROM job WHERE kind = ?1 AND subject = ?2 AND version = ?3 "
                     "AND lease_owner = ?4",
                     job.kind, job.subject, job.version, owner));
  if (done == 1) return true;
  TRY(const auto freed, connection.run("UPDATE job SET lease_owner = '', lease_until = 0 "
                                       "WHERE kind = ?1 AND subject = ?2 AND lease_owner = ?3",
                                       job.kind, job.subject, owner));
  CHECK(freed <= 1);
  return false;
}

Result<> postpone(sql::Connection& connection, const Job& job, std::string_view owner,
                  std::string_view reason, Seconds now) {
  TRY(const auto changed,
      connection.run("UPDATE job SET lease_owner = '', lease_until = 0, last_error = ?5, "
                     "attempts = CASE WHEN version = ?4 THEN attempts + 1 ELSE attempts END, "
                     "run_after = CASE WHEN version = ?4 THEN ?6 ELSE run_after END "
                     "WHERE kind = ?1 AND subject = ?2 AND lease_owner = ?3",
                     job.kind, job.subject, owner, job.version, reason,
                     now + delay_after(job.attempts)));
  CHECK(changed <= 1);
  return {};
}

Result<> put_off(sql::Connection& connection, const Job& job, std::string_view reason,
                 Seconds now) {
  TRY(const auto changed,
      connection.run("UPDATE job SET lease_owner = '', lease_until = 0, attempts = attempts + 1, "
                     "last_error = ?3, run_after = ?4 WHERE kind = ?1 AND subject = ?2",
                     job.kind, job.subject, reason, now + delay_after(job.attempts)));
  CHECK(changed <= 1);
  return {};
}

Result<> release_leases(sql::Connection& connection, std::string_view kind,
                        std::string_view owner) {
  TRY(const auto changed, connection.run("UPDATE job SET lease_owner = '', lease_until = 0 "
                                         "WHERE kind = ?1 AND lease_owner = ?2",
                                         kind, owner));
  CHECK(changed >= 0);
  return {};
}

Result<> release_leases(sql::Connection& connection, std::string_view owner) {
  TRY(const auto changed,
      connection.run("UPDATE job SET lease_owner = '', lease_until = 0 WHERE lease_owner = ?1",
                     owner));
  CHECK(changed >= 0);
  return {};
}

Result<std::vector<JobCounts>> count_jobs(sql::Connection& connection, Seconds now) {
  TRY(auto rows,
      connection.query("SELECT kind, SUM(CASE WHEN lease_until <= ?1 THEN 1 ELSE 0 END), "
                       "SUM(CASE WHEN lease_until > ?1 THEN 1 ELSE 0 END), "
                       "SUM(CASE WHEN attempts > 0 THEN 1 ELSE 0 END) "
                       "FROM job GROUP BY kind ORDER BY kind",
                       now));
  std::vector<JobCounts> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({.kind = row->string(0),
                   .waiting = row->integer(1),
                   .running = row->integer(2),
                   .failing = row->integer(3)});
  }
}

}  // namespace tenken::store
