#include "host/facts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <sys/utsname.h>

#include "host/boot_time.h"
#include "host/network.h"
#include "host/processes.h"
#include "host/reboot.h"
#include "host/sockets.h"
#include "host/sshd.h"
#include "host/sysctl.h"
#include "host/users.h"

namespace tenken::host {
namespace {

// The items go to their list, the skips to those of all.
template <typename T>
void take(Found<T> found, std::vector<T>& list, std::vector<Skip>& skips) {
  list = std::move(found.items);
  std::ranges::move(found.skips, std::back_inserter(skips));
}

void add_processes(HostFacts& facts) {
  auto sockets = waiting_sockets();
  std::ranges::move(sockets.skips, std::back_inserter(facts.skips));
  std::vector<std::uint64_t> inodes;
  for (const auto& socket : sockets.items) {
    if (socket.inode != 0) inodes.push_back(socket.inode);
  }
  sort_unique(inodes);
  auto processes = look_at_processes(inodes);
  for (auto& [listener, inode] : sockets.items) {
    const auto owner = std::ranges::lower_bound(processes.owners, inode, {}, &SocketOwner::inode);
    if (owner != processes.owners.end() && owner->inode == inode)
      listener.executable = owner->executable;
    facts.listeners.push_back(std::move(listener));
  }
  sort_unique(facts.listeners);
  facts.programs = std::move(processes.programs);
  facts.outdated = std::move(processes.outdated);
  std::ranges::move(processes.skips, std::back_inserter(facts.skips));
}

}  // namespace

HostFacts facts_of_root(const inventory::Root& root) {
  HostFacts facts;
  take(users_of(root), facts.users, facts.skips);
  take(sshd_settings(root), facts.sshd, facts.skips);
  return facts;
}

// A host that runs has a kernel, and some process.
bool knows_all_processes(const HostFacts& facts) {
  return !facts.kernel.empty() && std::ranges::none_of(facts.skips, [](const Skip& skip) {
    return skip.file == "proc" && skip.record == unseen_processes;
  });
}

HostFacts facts_of_host() {
  const auto root = inventory::Root::at("/");
  HostFacts facts;
  if (root) {
    facts = facts_of_root(*root);
  } else {
    facts.skips.push_back(not_read("/", root.error(), "CAP_DAC_READ_SEARCH"));
  }
  utsname system{};
  if (::uname(&system) == 0) {
    facts.architecture = system.machine;
    facts.kernel = system.release;
  }
  facts.booted = boot_time();
  if (root && !facts.kernel.empty())
    take(reboot_reasons(*root, facts.kernel), facts.reboot_reasons, facts.skips);
  take(interface_addresses(), facts.addresses, facts.skips);
  take(read_sysctl(), facts.sysctl, facts.skips);
  add_processes(facts);
  return facts;
}

}  // namespace tenken::host
