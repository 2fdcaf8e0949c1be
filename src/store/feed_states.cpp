#include "store/feed_states.h"

namespace tenken::store {

Result<std::vector<FeedState>> feed_states(sql::Connection& connection) {
  TRY(auto rows,
      connection.query("SELECT node, feed, interval_seconds, attempted_at, succeeded_at, fetched, "
                       "unchanged, failed, last_error, documents, records, skipped, newest_at "
                       "FROM feed_state ORDER BY node, feed"));
  std::vector<FeedState> out;
  while (true) {
    TRY(const auto* row, rows->next());
    if (row == nullptr) return out;
    out.push_back({.node = row->string(0),
                   .feed = row->string(1),
                   .interval = row->integer(2),
                   .attempted = row->integer(3),
                   .succeeded = row->integer(4),
                   .fetched = row->integer(5),
                   .unchanged = row->integer(6),
                   .failed = row->integer(7),
                   .last_error = row->string(8),
                   .documents = row->integer(9),
                   .records = row->integer(10),
                   .skipped = row->integer(11),
                   .newest = row->integer(12)});
  }
}

Result<> put_feed_attempts(sql::Connection& connection, const std::vector<FeedState>& states) {
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  for (const auto& one : states) {
    TRY_VOID(connection.run(
        "INSERT INTO feed_state (node, feed, interval_seconds, attempted_at, succeeded_at, "
        "fetched, unchanged, failed, last_error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
        "ON CONFLICT (node, feed) DO UPDATE SET interval_seconds = excluded.interval_seconds, "
        "attempted_at = excluded.attempted_at, succeeded_at = excluded.succeeded_at, "
        "fetched = excluded.fetched, unchanged = excluded.unchanged, failed = excluded.failed, "
        "last_error = excluded.last_error",
        one.node, one.feed, one.interval, one.attempted, one.succeeded, one.fetched, one.unchanged,
        one.failed, one.last_error));
  }
  return transaction.commit();
}

Result<> put_feed_contents(sql::Connection& connection, std::string_view node,
                           const std::vector<FeedState>& states) {
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY_VOID(
      connection.run("UPDATE feed_state SET documents = 0, records = 0, skipped = 0, "
                     "newest_at = 0 WHERE node = ?1",
                     node));
  for (const auto& one : states) {
    TRY_VOID(connection.run(
        "INSERT INTO feed_state (node, feed, succeeded_at, documents, records, skipped, newest_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
        "ON CONFLICT (node, feed) DO UPDATE SET "
        "succeeded_at = CASE WHEN feed_state.succeeded_at < excluded.succeeded_at "
        "THEN excluded.succeeded_at ELSE feed_state.succeeded_at END, "
        "documents = excluded.documents, records = excluded.records, skipped = excluded.skipped, "
        "newest_at = excluded.newest_at",
        one.node, one.feed, one.succeeded, one.documents, one.records, one.skipped, one.newest));
  }
  return transaction.commit();
}

}  // namespace tenken::store
