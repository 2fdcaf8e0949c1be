#include "host/sysctl.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/text.h"

namespace tenken::host {
namespace {

constexpr std::size_t max_bytes = 4096;

// Without kernel.perf_event_max_sample_rate, which the kernel lowers by itself.
constexpr auto names = std::to_array<std::string_view>({
    "crypto.fips_enabled",
    "dev.tty.ldisc_autoload",
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "fs.suid_dumpable",
    "kernel.apparmor_restrict_unprivileged_userns",
    "kernel.core_pattern",
    "kernel.dmesg_restrict",
    "kernel.kexec_load_disabled",
    "kernel.kptr_restrict",
    "kernel.modules_disabled",
    "kernel.panic_on_oops",
    "kernel.perf_cpu_time_max_percent",
    "kernel.perf_event_paranoid",
    "kernel.pid_max",
    "kernel.randomize_va_space",
    "kernel.sysrq",
    "kernel.unprivileged_bpf_disabled",
    "kernel.unprivileged_userns_clone",
    "kernel.yama.ptrace_scope",
    "net.core.bpf_jit_harden",
    "net.ipv4.conf.all.accept_local",
    "net.ipv4.conf.all.accept_redirects",
    "net.ipv4.conf.all.accept_source_route",
    "net.ipv4.conf.all.arp_filter",
    "net.ipv4.conf.all.arp_ignore",
    "net.ipv4.conf.all.drop_gratuitous_arp",
    "net.ipv4.conf.all.forwarding",
    "net.ipv4.conf.all.log_martians",
    "net.ipv4.conf.all.route_localnet",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.all.secure_redirects",
    "net.ipv4.conf.all.send_redirects",
    "net.ipv4.conf.all.shared_media",
    "net.ipv4.conf.default.accept_redirects",
    "net.ipv4.conf.default.accept_source_route",
    "net.ipv4.conf.default.forwarding",
    "net.ipv4.conf.default.log_martians",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv4.conf.default.secure_redirects",
    "net.ipv4.conf.default.send_redirects",
    "net.ipv4.conf.default.shared_media",
    "net.ipv4.icmp_echo_ignore_broadcasts",
    "net.ipv4.icmp_ignore_bogus_error_responses",
    "net.ipv4.ip_forward",
    "net.ipv4.tcp_rfc1337",
    "net.ipv4.tcp_syncookies",
    "net.ipv6.conf.all.accept_ra",
    "net.ipv6.conf.all.accept_redirects",
    "net.ipv6.conf.all.accept_source_route",
    "net.ipv6.conf.all.autoconf",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.all.max_addresses",
    "net.ipv6.conf.all.router_solicitations",
    "net.ipv6.conf.default.accept_ra",
    "net.ipv6.conf.default.accept_redirects",
    "net.ipv6.conf.default.accept_source_route",
    "net.ipv6.conf.default.autoconf",
    "net.ipv6.conf.default.forwarding",
    "net.ipv6.conf.default.max_addresses",
    "net.ipv6.conf.default.router_solicitations",
    "user.max_user_namespaces",
    "vm.mmap_min_addr",
    "vm.unprivileged_userfaultfd",
});

}  // namespace

std::span<const std::string_view> sysctl_names() {
  return names;
}

std::string sysctl_value(std::string_view text) {
  std::string out;
  bool after_blank = false;
  for (const char c : text) {
    if (is_space(c)) {
      after_blank = true;
      continue;
    }
    if (after_blank && !out.empty()) out += ' ';
    after_blank = false;
    if (c != '\0') out += c;
  }
  return out;
}

Found<Setting> read_sysctl(const std::string& proc) {
  Found<Setting> out;
  for (const auto name : names) {
    std::string path = "sys/" + std::string(name);
    std::ranges::replace(path.begin() + 4, path.end(), '.', '/');
    const auto text = read_file(proc + "/" + path, max_bytes);
    if (text) {
      out.items.push_back({std::string(name), sysctl_value(*text)});
    } else if (text.error().code != Errc::not_found) {
      out.skips.push_back(not_read("proc/" + path, text.error(), "root"));
    }
  }
  return out;
}

}  // namespace tenken::host
