#include "serve/metrics_page.h"

#include <array>

namespace tenken::serve {
namespace {

void one(Exposition& out, std::string_view name, std::string_view type, std::string_view help,
         auto value) {
  out.family(name, type, help);
  out.sample(static_cast<double>(value));
}

void write_ingest(Exposition& out, const pipeline::Ingest::Counts& ingest) {
  out.family("tenken_inventories_total", "counter",
             "Inventories that arrived, by what became of them.");
  out.sample(static_cast<double>(ingest.written), {{"result", "written"}});
  out.sample(static_cast<double>(ingest.confirmed), {{"result", "unchanged"}});
  out.sample(static_cast<double>(ingest.failed), {{"result", "failed"}});
  out.sample(static_cast<double>(ingest.refused), {{"result", "refused"}});
  one(out, "tenken_inventories_waiting", "gauge", "Inventories that wait to be written.",
      ingest.waiting);
}

void write_jobs(Exposition& out, const store::Figures& figures) {
  out.family("tenken_jobs", "gauge", "Jobs of the background; failing ones are tried again.");
  for (const auto& job : figures.jobs) {
    out.sample(static_cast<double>(job.waiting), {{"kind", job.kind}, {"state", "waiting"}});
    out.sample(static_cast<double>(job.running), {{"kind", job.kind}, {"state", "running"}});
    out.sample(static_cast<double>(job.failing), {{"kind", job.kind}, {"state", "failing"}});
  }
  one(out, "tenken_evaluation_lag_seconds", "gauge",
      "For how long the oldest job that is due has been waiting.", figures.lag);
}

void write_agents(Exposition& out, const store::AgentCounts& agents) {
  out.family("tenken_agents", "gauge", "Agents by status.");
  out.sample(static_cast<double>(agents.active), {{"status", "active"}});
  out.sample(static_cast<double>(agents.retired), {{"status", "retired"}});
  out.sample(static_cast<double>(agents.revoked), {{"status", "revoked"}});
  one(out, "tenken_agents_seen", "gauge", "Active agents that were heard of within five minutes.",
      agents.seen);
}

void write_contents(Exposition& out, const store::Figures& figures) {
  out.family("tenken_findings", "gauge", "Findings by status.");
  constexpr std::array<std::string_view, 4> statuses{"", "ACTIVE", "SUPPRESSED", "CLOSED"};
  for (std::size_t i = 1; i < statuses.size(); ++i)
    out.sample(static_cast<double>(figures.findings[i]), {{"status", statuses[i]}});
  one(out, "tenken_findings_stale", "gauge",
      "Open findings of which the advisories say nothing any more.", figures.stale_findings);
  out.family("tenken_resources", "gauge", "Resources by coverage.");
  for (const auto& coverage : figures.coverage)
    out.sample(static_cast<double>(coverage.resources),
               {{"status", coverage.status}, {"reason", coverage.reason}});
  out.family("tenken_package_versions", "gauge",
             "Distinct package versions by what could be decided of them.");
  constexpr std::array<std::string_view, 4> decided{"decided", "partly_unknown", "not_covered",
                                                    "by_records"};
  for (std::size_t i = 0; i < decided.size(); ++i)
    out.sample(static_cast<double>(figures.decided_versions[i]), {{"state", decided[i]}});
  out.sample(static_cast<double>(figures.unmatched_versions), {{"state", "waiting"}});
}

void write_advisories(Exposition& out, const advisories::Database& database) {
  out.family("tenken_advisory_generation_info", "gauge", "The generation in use; always 1.");
  out.sample(1, {{"generation", database.generation()}});
  one(out, "tenken_advisory_newest_timestamp_seconds", "gauge",
      "Time of the newest advisory of the generation in use.", database.meta().newest_record);
  one(out, "tenken_advisory_records", "gauge", "Advisories of the generation in use.",
      database.meta().records);
}

void write_feeds(Exposition& out, const std::vector<store::FeedState>& feeds, Seconds now) {
  if (feeds.empty()) return;
  out.family("tenken_feed_age_seconds", "gauge",
             "Time since the feed was last fetched with success.");
  for (const auto& feed : feeds) {
    if (feed.succeeded > 0)
      out.sample(static_cast<double>(now - feed.succeeded),
                 {{"node", feed.node}, {"feed", feed.feed}});
  }
  const auto family = [&](std::string_view name, std::string_view help, auto member) {
    out.family(name, "gauge", help);
    for (const auto& feed : feeds)
      out.sample(static_cast<double>(member(feed)), {{"node", feed.node}, {"feed", feed.feed}});
  };
  using Feed = store::FeedState;
  family("tenken_feed_failing", "1 where the feed's last try failed.",
         [](const Feed& feed) { return feed.last_error.empty() ? 0 : 1; });
  family("tenken_feed_records", "Records of the feed in the generation in use.",
         [](const Feed& feed) { return feed.records; });
  family("tenken_feed_skipped", "Records of the feed that could not be read.",
         [](const Feed& feed) { return feed.skipped; });
}

void write_collections(Exposition& out, const std::vector<store::CollectTarget>& targets) {
  if (targets.empty()) return;
  std::int64_t good = 0;
  std::int64_t failing = 0;
  for (const auto& one : targets) {
    if (one.failures > 0)
      ++failing;
    else if (one.succeeded > 0)
      ++good;
  }
  out.family("tenken_collections", "gauge", "Hosts that are asked over SSH, by their last try.");
  out.sample(static_cast<double>(good), {{"state", "good"}});
  out.sample(static_cast<double>(failing), {{"state", "failing"}});
  out.sample(static_cast<double>(std::ssize(targets) - good - failing), {{"state", "waiting"}});
}

}  // namespace

std::string metrics_page(const MetricSources& sources) {
  Exposition out;
  sources.requests.write(out);
  one(out, "tenken_connections", "gauge", "Open connections of clients.", sources.connections);
  write_ingest(out, sources.ingest);
  one(out, "tenken_store_up", "gauge", "1 where the store answers.", sources.store_answers ? 1 : 0);
  const auto& counted = sources.counted;
  if (counted.at > 0) {
    one(out, "tenken_counted_timestamp_seconds", "gauge", "When the store was counted.",
        counted.at);
    write_jobs(out, counted.figures);
    write_contents(out, counted.figures);
    write_agents(out, counted.figures.agents);
    one(out, "tenken_database_bytes", "gauge", "Size of the store.",
        counted.figures.database_bytes);
  }
  one(out, "tenken_disk_free_bytes", "gauge", "Room on the data directory's disk.",
      counted.free_bytes);
  if (counted.last_backup > 0)
    one(out, "tenken_backup_timestamp_seconds", "gauge", "Time of the last verified backup.",
        counted.last_backup);
  if (sources.generation != nullptr) write_advisories(out, *sources.generation);
  write_feeds(out, sources.feeds, sources.now);
  write_collections(out, sources.collections);
  one(out, "tenken_log_lines_dropped_total", "counter", "Lines that the log could not take.",
      sources.dropped_log_lines);
  write_process_metrics(out);
  return out.take();
}

}  // namespace tenken::serve
