#include "host/reboot.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::host {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 20;
constexpr std::size_t max_packages = 10'000;

// The runs of digits and of letters, which everything else separates. Zeros that lead are left out.
std::vector<std::string_view> runs_of(std::string_view text) {
  std::vector<std::string_view> runs;
  while (!text.empty()) {
    const bool digits = is_digit(text.front());
    const auto same = [&](char c) { return digits ? is_digit(c) : is_alpha(c); };
    const auto end = std::ranges::find_if_not(text, same);
    const auto length = static_cast<std::size_t>(end - text.begin());
    auto run = text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
    while (digits && run.size() > 1 && run.front() == '0') run.remove_prefix(1);
    if (!run.empty()) runs.push_back(run);
  }
  return runs;
}

std::vector<std::string_view> letters_of(std::vector<std::string_view> runs) {
  std::erase_if(runs, [](std::string_view run) { return is_digit(run.front()); });
  return runs;
}

}  // namespace

std::optional<std::strong_ordering> compare_kernels(std::string_view a, std::string_view b) {
  const auto left = runs_of(a);
  const auto right = runs_of(b);
  // The flavour is what stands there in letters: "amd", "el x", "generic".
  if (letters_of(left) != letters_of(right)) return std::nullopt;
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    const bool left_number = is_digit(left[i].front());
    const bool right_number = is_digit(right[i].front());
    // A further number is a later build: 362.8.1.el9 comes after 362.el9.
    if (left_number != right_number) return left_number <=> right_number;
    if (!left_number) continue;
    const auto order = left[i].size() != right[i].size() ? left[i].size() <=> right[i].size()
                                                         : left[i] <=> right[i];
    if (order != std::strong_ordering::equal) return order;
  }
  return left.size() <=> right.size();
}

std::vector<std::string> parse_reboot_packages(std::string_view text) {
  std::vector<std::string> packages;
  for_each_line(text, [&](std::string_view line) {
    const auto name = trim(line);
    if (!name.empty() && !name.contains('\0') && packages.size() < max_packages)
      packages.emplace_back(name);
  });
  sort_unique(packages);
  return packages;
}

namespace {

// Whether it is there; what cannot be looked at is a skip.
std::optional<std::string> read_mark(const inventory::Root& root, std::string_view path,
                                     Found<std::string>& out) {
  auto text = root.read(path, max_bytes);
  if (text) return *std::move(text);
  if (text.error().code != Errc::not_found)
    out.skips.push_back(not_read(std::string(path), text.error(), "CAP_DAC_READ_SEARCH"));
  return std::nullopt;
}

// The newest kernel that can be started and has its modules, where it is newer than the running
// one.
std::optional<std::string> newer_kernel(const inventory::Root& root, std::string_view running) {
  constexpr std::string_view image = "vmlinuz-";
  const auto names = root.list("boot");
  if (!names) return std::nullopt;
  std::string newest(running);
  for (const auto& name : *names) {
    if (!name.starts_with(image)) continue;
    const auto release = std::string_view(name).substr(image.size());
    const auto order = compare_kernels(release, newest);
    if (order != std::strong_ordering::greater) continue;
    if (root.list(fmt::format("lib/modules/{}", release))) newest = release;
  }
  if (newest == running) return std::nullopt;
  return newest;
}

}  // namespace

Found<std::string> reboot_reasons(const inventory::Root& root, std::string_view running_kernel) {
  Found<std::string> out;
  if (read_mark(root, "run/reboot-required", out)) {
    const auto text = read_mark(root, "run/reboot-required.pkgs", out);
    const auto packages = parse_reboot_packages(text.value_or(""));
    for (const auto& package : packages) out.items.push_back("needed by " + package);
    if (packages.empty()) out.items.emplace_back("run/reboot-required");
  }
  if (read_mark(root, "run/reboot-needed", out)) out.items.emplace_back("run/reboot-needed");
  if (const auto newer = newer_kernel(root, running_kernel))
    out.items.push_back(fmt::format("kernel {} is installed, {} runs", *newer, running_kernel));
  sort_unique(out.items);
  return out;
}

}  // namespace tenken::host
