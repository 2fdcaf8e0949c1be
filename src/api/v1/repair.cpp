#include "api/v1/repair.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tenken::api::v1 {
namespace {

// {0} is the resource's or the agent's id, {1} the account, {2} what an agent wants.
struct Repair {
  std::string_view reason;
  std::string_view text;
};

constexpr std::array of_coverage{
    Repair{"PENDING_INITIAL_SCAN",
           "Nothing: it is evaluated within seconds. GET /v1/jobs shows a "
           "job that fails."},
    Repair{"NO_INVENTORY",
           "On the host: tenken-agent status says why nothing came, then systemctl "
           "restart tenken-agent. Without an agent: tenken scan --server URL "
           "--resource {0}, or tenken admin collect list --account {1}."},
    Repair{"STALE_INVENTORY",
           "On the host: tenken-agent status, then systemctl restart tenken-agent. Without an "
           "agent: tenken scan --server URL --resource {0}, or tenken admin collect list --account "
           "{1}. The host is gone: DELETE /v1/resources/{0}."},
    Repair{"UNSUPPORTED_OS",
           "GET /v1/database says which data is in use: add the feed of this "
           "distribution release (docs/database.md). Where there is none, nothing "
           "can be said of it."},
    Repair{"UNMANAGED_EC2_INSTANCE",
           "tenken admin token create --account {1}, then on the host: systemctl stop "
           "tenken-agent, tenken-agent enrol --server URL --ca FILE --token -, systemctl start "
           "tenken-agent."},
    Repair{
        "EXCLUDED_BY_TAG",
        "Its tag InspectorEc2Exclusion keeps it out: take the tag away, and it is evaluated with "
        "its next report."},
    Repair{"RESOURCE_TERMINATED",
           "The host is gone or was retired. It is there again once it reports: systemctl stop "
           "tenken-agent, tenken-agent enrol with a new token, systemctl start tenken-agent, or "
           "tenken scan --server URL --resource {0}."},
};

constexpr std::array of_health{
    Repair{"never_reported",
           "On the host: tenken-agent status says why nothing came, then systemctl "
           "start tenken-agent, or tenken-agent run."},
    Repair{"silent",
           "On the host: tenken-agent status, then systemctl restart tenken-agent. The "
           "host is gone: tenken admin agent retire {0} --account {1}."},
    Repair{"clone",
           "Two hosts have one machine id, key or state: on the copy, systemd-machine-id-"
           "setup after rm /etc/machine-id, rm -r /var/lib/tenken-agent, and enrol it "
           "again with a new token."},
    Repair{"retired",
           "Its host is there again: tenken admin token create --account {1}, then on the host: "
           "systemctl stop tenken-agent, tenken-agent enrol, systemctl start tenken-agent."},
    Repair{"revoked",
           "tenken admin token create --account {1}, then on the host: systemctl stop "
           "tenken-agent, tenken-agent enrol, systemctl start tenken-agent. The host is gone: "
           "tenken admin agent retire {0} --account {1}."},
};

constexpr std::string_view of_wanting =
    "Its host names {2}, which is another's. It is that host: tenken admin agent move {0} {2} "
    "--account {1}.";

template <std::size_t Count>
std::string_view find(const std::array<Repair, Count>& all, std::string_view reason) {
  const auto at = std::ranges::find(all, reason, &Repair::reason);
  return at == all.end() ? std::string_view() : at->text;
}

std::string filled(std::string_view text, std::string_view id, std::string_view account,
                   std::string_view wanted = {}) {
  return fmt::format(fmt::runtime(text), id, account, wanted);
}

}  // namespace

std::string repair_of(const store::Resource& resource) {
  return filled(find(of_coverage, resource.coverage_reason), resource.external_id,
                resource.account);
}

std::string repair_of(const store::Agent& agent, std::string_view health) {
  const bool wants = agent.status == store::AgentStatus::active && !agent.wanted.empty();
  auto out = filled(find(of_health, health), agent.id, agent.account);
  if (!wants) return out;
  if (!out.empty()) out += ' ';
  return out + filled(of_wanting, agent.id, agent.account, agent.wanted);
}

}  // namespace tenken::api::v1
