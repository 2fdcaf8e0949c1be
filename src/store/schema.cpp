#include "store/schema.h"

#include <array>
#include <span>

#include "sql/migrate.h"

namespace tenken::store {
namespace {

// Status numbers: findings/…: 1 ACTIVE, 2 SUPPRESSED, 3 CLOSED. Scores are CVSS tenths, -1: none.
// Times are seconds since the epoch, 0: never.
constexpr std::string_view inventory_and_findings = R"sql(
CREATE TABLE resource (
  resource_id {id},
  account_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  type TEXT NOT NULL,
  region TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL DEFAULT '',
  platform TEXT NOT NULL DEFAULT '',
  details TEXT NOT NULL DEFAULT '{}',
  tags TEXT NOT NULL DEFAULT '{}',
  inventory_digest TEXT NOT NULL DEFAULT '',
  inventory_complete INTEGER NOT NULL DEFAULT 0,
  inventory_unknown TEXT NOT NULL DEFAULT '[]',
  packages BIGINT NOT NULL DEFAULT 0,
  coverage_status TEXT NOT NULL DEFAULT 'INACTIVE',
  coverage_reason TEXT NOT NULL DEFAULT 'NO_INVENTORY',
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL DEFAULT 0,
  changed_at BIGINT NOT NULL DEFAULT 0,
  evaluated_at BIGINT NOT NULL DEFAULT 0,
  expires_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX resource_by_account ON resource (account_id, external_id);
CREATE INDEX resource_by_type ON resource (account_id, type, resource_id);
CREATE INDEX resource_by_expiry ON resource (expires_at) WHERE expires_at > 0;

CREATE TABLE resource_tag (
  resource_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (resource_id, name)
) {clustered};
CREATE INDEX resource_tag_by_value ON resource_tag (name, value, resource_id);

CREATE TABLE package_version (
  package_version_id {id},
  ecosystem TEXT NOT NULL,
  release TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  arch TEXT NOT NULL,
  source_name TEXT NOT NULL,
  source_version TEXT NOT NULL,
  module_label TEXT NOT NULL,
  vendor TEXT NOT NULL,
  purl TEXT NOT NULL,
  host_state TEXT NOT NULL,
  advisory_name TEXT NOT NULL,
  epoch BIGINT NOT NULL DEFAULT 0,
  upstream_version TEXT NOT NULL DEFAULT '',
  upstream_release TEXT NOT NULL DEFAULT '',
  unused_since BIGINT NOT NULL DEFAULT 0,
  matched INTEGER NOT NULL DEFAULT 0,
  undecided INTEGER NOT NULL DEFAULT 0,
  unknown TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX package_version_by_name ON package_version (ecosystem, advisory_name);
CREATE INDEX package_version_by_own_name ON package_version (name);
CREATE INDEX package_version_unmatched ON package_version (package_version_id) WHERE matched = 0;

CREATE TABLE resource_package (
  resource_id BIGINT NOT NULL,
  package_version_id BIGINT NOT NULL,
  location TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (resource_id, package_version_id)
) {clustered};

CREATE TABLE match (
  package_version_id BIGINT NOT NULL,
  vulnerability_id TEXT NOT NULL,
  live INTEGER NOT NULL,
  stale INTEGER NOT NULL DEFAULT 0,
  status INTEGER NOT NULL,
  score INTEGER NOT NULL,
  score_source TEXT NOT NULL,
  vendor_severity TEXT NOT NULL,
  fixed_version TEXT NOT NULL,
  advisories TEXT NOT NULL,
  PRIMARY KEY (package_version_id, vulnerability_id)
) {clustered};
CREATE INDEX match_by_vulnerability ON match (vulnerability_id, package_version_id);

CREATE TABLE vulnerability (
  vulnerability_id TEXT NOT NULL PRIMARY KEY,
  title TEXT NOT NULL,
  source TEXT NOT NULL,
  published_at BIGINT NOT NULL,
  modified_at BIGINT NOT NULL,
  epss DOUBLE PRECISION NOT NULL DEFAULT -1,
  exploited_at BIGINT NOT NULL DEFAULT 0,
  aliases TEXT NOT NULL DEFAULT '',
  document TEXT NOT NULL
);
CREATE INDEX vulnerability_by_epss ON vulnerability (epss, vulnerability_id, source, exploited_at, aliases);
CREATE INDEX vulnerability_by_source ON vulnerability (source, vulnerability_id);

CREATE TABLE finding (
  resource_id BIGINT NOT NULL,
  vulnerability_id TEXT NOT NULL,
  episode BIGINT NOT NULL,
  account_id TEXT NOT NULL,
  status INTEGER NOT NULL,
  score INTEGER NOT NULL,
  fix INTEGER NOT NULL,
  stale INTEGER NOT NULL DEFAULT 0,
  packages TEXT NOT NULL,
  last_observed_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL DEFAULT 0,
  suppressed_by TEXT NOT NULL DEFAULT '',
  cause TEXT NOT NULL,
  transition BIGINT NOT NULL,
  PRIMARY KEY (resource_id, vulnerability_id, episode)
) {clustered};
CREATE INDEX finding_by_score ON finding (account_id, status, fix, score, resource_id, vulnerability_id, episode);
CREATE INDEX finding_by_vulnerability ON finding (vulnerability_id, account_id, status, score, resource_id, episode);
CREATE INDEX finding_by_first ON finding (account_id, status, episode, resource_id, vulnerability_id);
CREATE INDEX finding_by_last ON finding (account_id, status, last_observed_at, resource_id, vulnerability_id, episode);
CREATE INDEX finding_by_update ON finding (account_id, status, updated_at);
CREATE INDEX finding_by_closing ON finding (closed_at) WHERE closed_at > 0;

CREATE TABLE finding_event (
  resource_id BIGINT NOT NULL,
  vulnerability_id TEXT NOT NULL,
  episode BIGINT NOT NULL,
  transition BIGINT NOT NULL,
  happened_at BIGINT NOT NULL,
  status INTEGER NOT NULL,
  cause TEXT NOT NULL,
  PRIMARY KEY (resource_id, vulnerability_id, episode, transition)
) {clustered};

-- ACTIVE findings, counted: store/finding_counts.h. Those by title and by package are small.
CREATE TABLE finding_count (
  resource_id BIGINT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  type TEXT NOT NULL,
  total BIGINT NOT NULL,
  critical BIGINT NOT NULL,
  high BIGINT NOT NULL,
  medium BIGINT NOT NULL
) {clustered};

CREATE TABLE title_count (
  account_id TEXT NOT NULL,
  vulnerability_id TEXT NOT NULL,
  title TEXT NOT NULL,
  type TEXT NOT NULL,
  slice INTEGER NOT NULL,
  total BIGINT NOT NULL,
  critical BIGINT NOT NULL,
  high BIGINT NOT NULL,
  medium BIGINT NOT NULL,
  fixable BIGINT NOT NULL,
  PRIMARY KEY (account_id, vulnerability_id, title, type, slice)
) {clustered};

CREATE TABLE package_count (
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  slice INTEGER NOT NULL,
  total BIGINT NOT NULL,
  critical BIGINT NOT NULL,
  high BIGINT NOT NULL,
  medium BIGINT NOT NULL,
  PRIMARY KEY (account_id, name, slice)
) {clustered};

CREATE TABLE job (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  payload TEXT NOT NULL DEFAULT '',
  run_after BIGINT NOT NULL,
  lease_owner TEXT NOT NULL DEFAULT '',
  lease_until BIGINT NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  PRIMARY KEY (kind, subject)
) {clustered};
CREATE INDEX job_by_time ON job (kind, run_after);

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) {clustered};

CREATE TABLE feed_state (
  node TEXT NOT NULL,
  feed TEXT NOT NULL,
  interval_seconds BIGINT NOT NULL DEFAULT 0,
  attempted_at BIGINT NOT NULL DEFAULT 0,
  succeeded_at BIGINT NOT NULL DEFAULT 0,
  fetched BIGINT NOT NULL DEFAULT 0,
  unchanged BIGINT NOT NULL DEFAULT 0,
  failed BIGINT NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '',
  documents BIGINT NOT NULL DEFAULT 0,
  records BIGINT NOT NULL DEFAULT 0,
  skipped BIGINT NOT NULL DEFAULT 0,
  newest_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (node, feed)
) {clustered};
)sql";

// Resources by package version: store/holders.h.
constexpr std::string_view holders_on_sqlite = R"sql(
CREATE TABLE holder (
  package_version_id BIGINT NOT NULL,
  resource_id BIGINT NOT NULL,
  PRIMARY KEY (package_version_id, resource_id)
) {clustered};

CREATE TABLE holder_waiting (
  resource_id {id}
);
)sql";
constexpr std::string_view holders_on_postgresql = R"sql(
CREATE INDEX resource_package_by_version ON resource_package (package_version_id, resource_id);
)sql";

// What the API keeps: documents of one account, found by kind and id.
constexpr std::string_view api_state = R"sql(
CREATE TABLE filter (
  account_id TEXT NOT NULL,
  filter_id TEXT NOT NULL,
  name TEXT NOT NULL,
  action TEXT NOT NULL,
  criteria TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  expires_at BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, filter_id)
) {clustered};
CREATE UNIQUE INDEX filter_by_name ON filter (account_id, name);

CREATE TABLE document (
  account_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  document_id TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, kind, document_id)
) {clustered};

CREATE TABLE arn_tag (
  account_id TEXT NOT NULL,
  arn TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account_id, arn, name)
) {clustered};
)sql";

// What was asked for to be written elsewhere. Kinds and states are numbers of exports.h.
constexpr std::string_view exports = R"sql(
CREATE TABLE export (
  account_id TEXT NOT NULL,
  export_id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  format TEXT NOT NULL,
  criteria TEXT NOT NULL,
  bucket TEXT NOT NULL,
  key_prefix TEXT NOT NULL,
  kms_key TEXT NOT NULL,
  local_name TEXT NOT NULL,
  status INTEGER NOT NULL,
  error_code TEXT NOT NULL DEFAULT '',
  error_message TEXT NOT NULL DEFAULT '',
  items BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, export_id)
) {clustered};
CREATE UNIQUE INDEX export_in_progress ON export (account_id, kind) WHERE status = 1;
)sql";

constexpr std::string_view owner_of_bucket =
    "ALTER TABLE export ADD COLUMN bucket_owner TEXT NOT NULL DEFAULT '';";

// Agents and what they are told: store/agents.h. Statuses are numbers of AgentStatus.
constexpr std::string_view agents = R"sql(
CREATE TABLE agent (
  agent_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  name TEXT NOT NULL,
  host_name TEXT NOT NULL,
  version TEXT NOT NULL,
  architecture TEXT NOT NULL,
  status INTEGER NOT NULL,
  certificate TEXT NOT NULL,
  certificate_end BIGINT NOT NULL,
  next_certificate TEXT NOT NULL,
  next_certificate_end BIGINT NOT NULL,
  machine_id TEXT NOT NULL,
  host_key TEXT NOT NULL,
  session TEXT NOT NULL,
  session_before TEXT NOT NULL,
  session_at BIGINT NOT NULL,
  clone_seen_at BIGINT NOT NULL,
  enrolled_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  reported_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  tags TEXT NOT NULL,
  PRIMARY KEY (agent_id)
) {clustered};
CREATE UNIQUE INDEX agent_by_resource ON agent (account_id, external_id);
CREATE INDEX agent_by_certificate ON agent (certificate);
CREATE INDEX agent_by_next_certificate ON agent (next_certificate);
CREATE INDEX agent_by_machine ON agent (account_id, machine_id);

CREATE TABLE agent_command (
  command_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  command TEXT NOT NULL,
  issued_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (command_id)
) {clustered};
CREATE INDEX agent_command_waiting ON agent_command (agent_id) WHERE sent_at = 0;

CREATE TABLE agent_report (
  resource_id {id},
  agent_id TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  digest TEXT NOT NULL,
  report {blob} NOT NULL,
  received_at BIGINT NOT NULL
);
)sql";

// A package that is installed no longer and still runs: store/resources.h. Empty: it is installed.
constexpr std::string_view running_packages = R"sql(
ALTER TABLE resource_package ADD COLUMN running TEXT NOT NULL DEFAULT '';
CREATE INDEX resource_package_running ON resource_package (resource_id) WHERE running <> '';
)sql";

// A finding holds how it was opened; events are what happened to it later. opened_by: the cause,
// empty while the finding is as it was opened.
constexpr std::string_view openings = R"sql(
ALTER TABLE finding ADD COLUMN opened_by TEXT NOT NULL DEFAULT '';
UPDATE finding SET opened_by = COALESCE((
    SELECT e.cause FROM finding_event e
    WHERE e.resource_id = finding.resource_id AND e.vulnerability_id = finding.vulnerability_id
      AND e.episode = finding.episode AND e.transition < finding.transition
    ORDER BY e.transition LIMIT 1), '');
DELETE FROM finding_event WHERE status = 1
  AND NOT EXISTS (SELECT 1 FROM finding_event e
    WHERE e.resource_id = finding_event.resource_id
      AND e.vulnerability_id = finding_event.vulnerability_id
      AND e.episode = finding_event.episode AND e.transition < finding_event.transition)
  AND EXISTS (SELECT 1 FROM finding f
    WHERE f.resource_id = finding_event.resource_id
      AND f.vulnerability_id = finding_event.vulnerability_id
      AND f.episode = finding_event.episode);
)sql";

// How a resource's inventory came, where that is said: store/resources.h.
constexpr std::string_view scan_modes =
    "ALTER TABLE resource ADD COLUMN agentless INTEGER NOT NULL DEFAULT 0;";

// Whose polls are to be answered: store/agents.h.
constexpr std::string_view ended_agents =
    "CREATE INDEX agent_ended ON agent (ended_at) WHERE status <> 1;";

// store/agent_updates.h. States are numbers of UpdateState.
constexpr std::string_view agent_updates = R"sql(
CREATE TABLE agent_update (
  agent_id TEXT NOT NULL,
  release TEXT NOT NULL,
  state BIGINT NOT NULL,
  message TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (agent_id)
) {clustered};
)sql";

// Hosts that are asked over SSH: store/collect_targets.h.
constexpr std::string_view collect_targets = R"sql(
CREATE TABLE collect_target (
  account_id TEXT NOT NULL,
  host TEXT NOT NULL,
  port BIGINT NOT NULL,
  interval_seconds BIGINT NOT NULL,
  tags TEXT NOT NULL,
  external_id TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  lease_owner TEXT NOT NULL DEFAULT '',
  lease_until BIGINT NOT NULL DEFAULT 0,
  attempted_at BIGINT NOT NULL DEFAULT 0,
  succeeded_at BIGINT NOT NULL DEFAULT 0,
  failures BIGINT NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (account_id, host)
) {clustered};
CREATE INDEX collect_target_by_turn ON collect_target (next_at);
)sql";

// When a report last knew all processes of what has running packages; 0: no row is from an earlier
// report. Of an older store: of what is there as of the last report.
constexpr std::string_view running_known = R"sql(
ALTER TABLE resource ADD COLUMN running_known_at BIGINT NOT NULL DEFAULT 0;
UPDATE resource SET running_known_at = seen_at - 1 WHERE resource_id IN
  (SELECT resource_id FROM resource_package WHERE running <> '');
)sql";

// On SQLite findings stand in the order in which they were written, and only their key by resource:
// a vulnerability of the whole fleet then changes the pages of keys, a quarter as many. What is
// ordered by the end of a key that it did not name names it.
constexpr std::string_view findings_in_order_on_sqlite = R"sql(
CREATE TABLE finding_in_order (
  resource_id BIGINT NOT NULL,
  vulnerability_id TEXT NOT NULL,
  episode BIGINT NOT NULL,
  account_id TEXT NOT NULL,
  status INTEGER NOT NULL,
  score INTEGER NOT NULL,
  fix INTEGER NOT NULL,
  stale INTEGER NOT NULL DEFAULT 0,
  packages TEXT NOT NULL,
  last_observed_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL DEFAULT 0,
  suppressed_by TEXT NOT NULL DEFAULT '',
  cause TEXT NOT NULL,
  transition BIGINT NOT NULL,
  opened_by TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (resource_id, vulnerability_id, episode)
);
INSERT INTO finding_in_order SELECT resource_id, vulnerability_id, episode, account_id, status,
  score, fix, stale, packages, last_observed_at, updated_at, closed_at, suppressed_by, cause,
  transition, opened_by FROM finding;
DROP TABLE finding;
ALTER TABLE finding_in_order RENAME TO finding;
CREATE INDEX finding_by_score ON finding (account_id, status, fix, score, resource_id, vulnerability_id, episode);
CREATE INDEX finding_by_vulnerability ON finding (vulnerability_id, account_id, status, score, resource_id, episode);
CREATE INDEX finding_by_first ON finding (account_id, status, episode, resource_id, vulnerability_id);
CREATE INDEX finding_by_last ON finding (account_id, status, last_observed_at, resource_id, vulnerability_id, episode);
CREATE INDEX finding_by_update ON finding (account_id, status, updated_at);
CREATE INDEX finding_by_closing ON finding (closed_at) WHERE closed_at > 0;
)sql";

// store/resource_facts.h, of rows that are there: as facts_of() has it.
constexpr std::string_view resource_facts = R"sql(
ALTER TABLE resource ADD COLUMN repository TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN registry TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN image_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN image_architecture TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN image_id TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN vpc_id TEXT NOT NULL DEFAULT '';
ALTER TABLE resource ADD COLUMN subnet_id TEXT NOT NULL DEFAULT '';
CREATE INDEX resource_by_repository ON resource (account_id, repository, resource_id);
CREATE INDEX resource_by_registry ON resource (account_id, registry, resource_id);
CREATE INDEX resource_by_image_hash ON resource (account_id, image_hash, resource_id);
CREATE INDEX resource_by_image_id ON resource (account_id, image_id, resource_id);
CREATE INDEX resource_by_vpc_id ON resource (account_id, vpc_id, resource_id);
CREATE INDEX resource_by_subnet_id ON resource (account_id, subnet_id, resource_id);
)sql";
constexpr std::string_view resource_facts_on_sqlite = R"sql(
UPDATE resource SET image_hash = substr(external_id, instr(external_id, 'sha256:')),
    repository = substr(external_id, 1, instr(external_id, 'sha256:') - 2), registry = account_id
  WHERE type = 'AWS_ECR_CONTAINER_IMAGE' AND instr(external_id, 'sha256:') > 2;
UPDATE resource SET registry = substr(repository, 1, instr(repository, '/') - 1),
    repository = substr(repository, instr(repository, '/') + 1)
  WHERE image_hash <> '' AND instr(repository, ':repository/') = 0 AND instr(repository, '/') > 1
    AND instr(substr(repository, 1, instr(repository, '/') - 1), '.') > 0;
UPDATE resource SET repository = substr(repository, instr(repository, ':repository/') + 12)
  WHERE image_hash <> '' AND instr(repository, ':repository/') > 0;
UPDATE resource SET registry = '', image_hash = '' WHERE image_hash <> '' AND repository = '';
UPDATE resource SET image_id = COALESCE(json_extract(details, '$.instance.imageId'), ''),
    vpc_id = COALESCE(json_extract(details, '$.instance.vpcId'), ''),
    subnet_id = COALESCE(json_extract(details, '$.instance.subnetId'), '')
  WHERE type = 'AWS_EC2_INSTANCE' AND json_valid(details) AND instr(details, '\u0000') = 0;
)sql";
constexpr std::string_view resource_facts_on_postgresql = R"sql(
UPDATE resource SET image_hash = substr(external_id, strpos(external_id, 'sha256:')),
    repository = substr(external_id, 1, strpos(external_id, 'sha256:') - 2), registry = account_id
  WHERE type = 'AWS_ECR_CONTAINER_IMAGE' AND strpos(external_id, 'sha256:') > 2;
UPDATE resource SET registry = substr(repository, 1, strpos(repository, '/') - 1),
    repository = substr(repository, strpos(repository, '/') + 1)
  WHERE image_hash <> '' AND strpos(repository, ':repository/') = 0 AND strpos(repository, '/') > 1
    AND strpos(substr(repository, 1, strpos(repository, '/') - 1), '.') > 0;
UPDATE resource SET repository = substr(repository, strpos(repository, ':repository/') + 12)
  WHERE image_hash <> '' AND strpos(repository, ':repository/') > 0;
UPDATE resource SET registry = '', image_hash = '' WHERE image_hash <> '' AND repository = '';
UPDATE resource SET image_id = COALESCE(details::json #>> '{instance,imageId}', ''),
    vpc_id = COALESCE(details::json #>> '{instance,vpcId}', ''),
    subnet_id = COALESCE(details::json #>> '{instance,subnetId}', '')
  WHERE type = 'AWS_EC2_INSTANCE' AND strpos(details, '\u0000') = 0;
)sql";

// The word of the vendor whose package gives the finding its score. Matches held the level that was
// decided in its stead: all are matched again, by a generation that the store does not know.
constexpr std::string_view vendor_words = R"sql(
ALTER TABLE finding ADD COLUMN vendor_severity TEXT NOT NULL DEFAULT '';
UPDATE setting SET value = '-' WHERE name = 'advisory_generation';
)sql";

// store/agents.h.
constexpr std::string_view agent_identity = R"sql(
ALTER TABLE agent ADD COLUMN state_id TEXT NOT NULL DEFAULT '';
ALTER TABLE agent ADD COLUMN wanted TEXT NOT NULL DEFAULT '';
)sql";

// Those that have the tag already: store/resources.h.
constexpr std::string_view excluded_resources = R"sql(
UPDATE resource SET coverage_status = 'INACTIVE', coverage_reason = 'EXCLUDED_BY_TAG'
WHERE type = 'AWS_EC2_INSTANCE' AND coverage_reason <> 'RESOURCE_TERMINATED'
  AND inventory_digest <> '' AND EXISTS (SELECT 1 FROM resource_tag t
    WHERE t.resource_id = resource.resource_id AND t.name = 'InspectorEc2Exclusion');
INSERT INTO job (kind, subject, payload, run_after, created_at)
SELECT 'evaluate', '' || resource_id, inventory_digest, 0, seen_at FROM resource
WHERE coverage_reason = 'EXCLUDED_BY_TAG' ON CONFLICT (kind, subject) DO NOTHING;
)sql";

// What is counted each minute: store/figures.h. What was closed kept that it was stale.
constexpr std::string_view stale_findings = R"sql(
UPDATE finding SET stale = 0 WHERE closed_at > 0 AND stale > 0;
CREATE INDEX finding_stale ON finding (status, stale) WHERE stale > 0;
CREATE INDEX finding_suppressed ON finding (resource_id, status) WHERE status = 2;
CREATE INDEX resource_by_coverage ON resource (coverage_status, coverage_reason);
)sql";
// What an agent was told and has not done: store/agents.h.
constexpr std::string_view commands_of_agents =
    "CREATE INDEX agent_command_of_agent ON agent_command (agent_id);";
// The severities below MEDIUM, counted once of the findings of an older store. A finding's title
// ends by its packages, as title_of() has it. Rows by title and package are of a slice on
// PostgreSQL; on SQLite all are of slice 0.
constexpr std::string_view severity_counts = R"sql(
ALTER TABLE finding_count ADD COLUMN low BIGINT NOT NULL DEFAULT 0;
ALTER TABLE finding_count ADD COLUMN informational BIGINT NOT NULL DEFAULT 0;
ALTER TABLE finding_count ADD COLUMN untriaged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE title_count ADD COLUMN low BIGINT NOT NULL DEFAULT 0;
ALTER TABLE title_count ADD COLUMN informational BIGINT NOT NULL DEFAULT 0;
ALTER TABLE title_count ADD COLUMN untriaged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE package_count ADD COLUMN low BIGINT NOT NULL DEFAULT 0;
ALTER TABLE package_count ADD COLUMN informational BIGINT NOT NULL DEFAULT 0;
ALTER TABLE package_count ADD COLUMN untriaged BIGINT NOT NULL DEFAULT 0;
CREATE TABLE lower_finding AS
  SELECT f.account_id, f.vulnerability_id, f.packages, c.type, f.resource_id >> 59 AS slice,
    COUNT(*) FILTER (WHERE f.score > 0) AS low,
    COUNT(*) FILTER (WHERE f.score = 0) AS informational,
    COUNT(*) FILTER (WHERE f.score < 0) AS untriaged
  FROM finding f JOIN finding_count c ON c.resource_id = f.resource_id
  WHERE f.status = 1 AND f.score < 40 GROUP BY 1, 2, 3, 4, 5;
UPDATE lower_finding SET slice = 0 WHERE NOT EXISTS (SELECT 1 FROM title_count WHERE slice > 0);
CREATE TABLE lower_package AS
  WITH RECURSIVE list (packages, rest) AS (
    SELECT packages, packages FROM lower_finding
    UNION SELECT packages, ltrim(ltrim(rest, '0123456789'), ',') FROM list WHERE rest <> '')
  SELECT DISTINCT l.packages, p.name FROM list l JOIN package_version p ON p.package_version_id =
    CAST(NULLIF(substr(rest, 1, length(rest) - length(ltrim(rest, '0123456789'))), '') AS BIGINT);
UPDATE finding_count SET low = n.low, informational = n.informational, untriaged = n.untriaged
FROM (SELECT resource_id, COUNT(*) FILTER (WHERE score > 0) AS low,
    COUNT(*) FILTER (WHERE score = 0) AS informational,
    COUNT(*) FILTER (WHERE score < 0) AS untriaged
  FROM finding WHERE status = 1 AND score < 40 GROUP BY resource_id) n
WHERE finding_count.resource_id = n.resource_id;
UPDATE title_count SET low = n.low, informational = n.informational, untriaged = n.untriaged
FROM (SELECT f.account_id, f.vulnerability_id,
    f.vulnerability_id || COALESCE(e.ending, '') AS title, f.type, f.slice,
    SUM(f.low) AS low, SUM(f.informational) AS informational, SUM(f.untriaged) AS untriaged
  FROM lower_finding f LEFT JOIN (
    SELECT packages, MAX(CASE place WHEN 1 THEN ' - ' || name ELSE '' END)
      || MAX(CASE place WHEN 2 THEN ', ' || name ELSE '' END)
      || CASE WHEN COUNT(*) > 2 THEN ' and ' || (COUNT(*) - 2) || ' more' ELSE '' END AS ending
    FROM (SELECT packages, name, ROW_NUMBER() OVER (PARTITION BY packages ORDER BY name) AS place
      FROM lower_package) named
    GROUP BY packages) e ON e.packages = f.packages
  GROUP BY 1, 2, 3, 4, 5) n
WHERE title_count.account_id = n.account_id AND title_count.vulnerability_id = n.vulnerability_id
  AND title_count.title = n.title AND title_count.type = n.type AND title_count.slice = n.slice;
UPDATE package_count SET low = n.low, informational = n.informational, untriaged = n.untriaged
FROM (SELECT f.account_id, p.name, f.slice, SUM(f.low) AS low,
    SUM(f.informational) AS informational, SUM(f.untriaged) AS untriaged
  FROM lower_finding f JOIN lower_package p ON p.packages = f.packages GROUP BY 1, 2, 3) n
WHERE package_count.account_id = n.account_id AND package_count.name = n.name
  AND package_count.slice = n.slice;
DROP TABLE lower_package;
DROP TABLE lower_finding;
)sql";

// What advisories without a release say of a package whose release is not known is no cover for it.
constexpr std::string_view releases_unknown = R"sql(
UPDATE setting SET value = '-' WHERE name = 'advisory_generation';
)sql";

constexpr std::array all{
    sql::Migration{1, inventory_and_findings, holders_on_sqlite, holders_on_postgresql},
    sql::Migration{2, api_state},
    sql::Migration{3, exports},
    sql::Migration{4, owner_of_bucket},
    sql::Migration{5, agents},
    sql::Migration{6, running_packages},
    sql::Migration{7, openings},
    sql::Migration{8, scan_modes},
    sql::Migration{9, ended_agents},
    sql::Migration{10, agent_updates},
    sql::Migration{11, collect_targets},
    sql::Migration{12, running_known},
    sql::Migration{13, {}, findings_in_order_on_sqlite},
    sql::Migration{14, resource_facts, resource_facts_on_sqlite, resource_facts_on_postgresql},
    sql::Migration{15, vendor_words},
    sql::Migration{16, agent_identity},
    sql::Migration{17, excluded_resources},
    sql::Migration{18, stale_findings},
    sql::Migration{19, commands_of_agents},
    sql::Migration{20, severity_counts},
    sql::Migration{21, releases_unknown},
};

}  // namespace

Result<> migrate(sql::Connection& connection) {
  return migrate_to(connection, all.size());
}

Result<> migrate_to(sql::Connection& connection, std::size_t version) {
  return sql::migrate(connection, "store", std::span(all).first(version));
}

}  // namespace tenken::store
