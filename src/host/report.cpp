#include "host/report.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "host/found.h"
#include "inventory/document.h"
#include "inventory/members.h"

namespace tenken::host {
namespace {

using inventory::Member;

struct RebootReason {
  std::string reason;
};

constexpr std::tuple host_members{
    Member{"architecture", &HostFacts::architecture},
    Member{"kernel", &HostFacts::kernel},
    Member{"booted", &HostFacts::booted},
};
constexpr std::tuple cloud_members{
    Member{"provider", &CloudInstance::provider},
    Member{"instanceId", &CloudInstance::instance_id},
    Member{"account", &CloudInstance::account},
    Member{"region", &CloudInstance::region},
    Member{"type", &CloudInstance::type},
    Member{"image", &CloudInstance::image},
    Member{"launched", &CloudInstance::launched},
    Member{"vpc", &CloudInstance::vpc},
    Member{"subnet", &CloudInstance::subnet},
    Member{"publicAddress", &CloudInstance::public_address},
    Member{"keyName", &CloudInstance::key_name},
    Member{"instanceProfile", &CloudInstance::instance_profile},
};
constexpr std::tuple address_members{
    Member{"interface", &InterfaceAddress::interface},
    Member{"address", &InterfaceAddress::address},
};
constexpr std::tuple listener_members{
    Member{"protocol", &Listener::protocol}, Member{"address", &Listener::address},
    Member{"port", &Listener::port},         Member{"executable", &Listener::executable},
    Member{"uid", &Listener::uid},
};
constexpr std::tuple program_members{
    Member{"executable", &RunningProgram::executable},
    Member{"uid", &RunningProgram::uid},
};
constexpr std::tuple outdated_members{
    Member{"executable", &OutdatedProgram::executable},
    Member{"file", &OutdatedProgram::file},
    Member{"pid", &OutdatedProgram::pid},
    Member{"package", &OutdatedProgram::package},
};
constexpr std::tuple user_members{
    Member{"name", &UserAccount::name},   Member{"uid", &UserAccount::uid},
    Member{"gid", &UserAccount::gid},     Member{"home", &UserAccount::home},
    Member{"shell", &UserAccount::shell},
};
constexpr std::tuple setting_members{
    Member{"name", &Setting::name},
    Member{"value", &Setting::value},
};
constexpr std::tuple reboot_members{Member{"reason", &RebootReason::reason}};

// Skips of the facts have this member, those of the inventory do not.
constexpr std::string_view of_facts = "facts";
constexpr std::string_view skip_kind = "skip";

// A text of the inventory is bounded as in its document, one of the facts by its line alone.
constexpr std::size_t inventory_text = inventory::DocumentLimits{}.text_bytes;
constexpr std::size_t facts_text = ReportLimits{}.line_bytes;

template <typename T, typename... Fields>
bool fits(const T& value, const std::tuple<Member<T, Fields>...>& members, std::size_t most) {
  const auto good = [&]<typename Field>(const Member<T, Field>& member) {
    if constexpr (std::integral<Field>) {
      return true;
    } else {
      const auto& text = value.*member.field;
      return text.size() <= most && !text.contains('\0');
    }
  };
  return std::apply([&](const auto&... member) { return (good(member) && ...); }, members);
}

// Whose a line is: what is missing of the inventory keeps findings open, what of the facts does
// not.
enum class Part : std::uint8_t { inventory, facts };

class LineWriter {
 public:
  template <typename T, typename... Fields>
  void add(std::string_view kind, const T& value, const std::tuple<Member<T, Fields>...>& members,
           std::size_t most_bytes, Part part) {
    json::Writer out;
    out.begin_object().member("k", kind);
    if (kind == skip_kind && part == Part::facts) out.member("of", of_facts);
    inventory::write_members(out, value, members);
    auto line = out.end_object().take();
    if (line.size() <= ReportLimits{}.line_bytes && fits(value, members, most_bytes)) {
      lines_.push_back(std::move(line));
    } else {
      too_long(kind, line, part);
    }
  }

  template <typename List, typename Members>
  void add_facts(std::string_view kind, const List& list, const Members& members) {
    for (const auto& value : list) add(kind, value, members, facts_text, Part::facts);
  }

  void add_skip(const Skip& skip, Part part) {
    add(skip_kind, skip, inventory::skip_members, inventory_text, part);
  }

  void add_head(const Inventory& inventory) {
    json::Writer out;
    out.begin_object().member("k", "inventory");
    inventory::write_head(out, inventory);
    lines_.push_back(out.end_object().take());
  }

  std::vector<std::string> take() {
    std::ranges::sort(lines_);
    const auto doubled = std::ranges::unique(lines_);
    lines_.erase(doubled.begin(), doubled.end());
    return std::move(lines_);
  }

 private:
  // What no reader would take is said to be missing; its name in the report tells which it was.
  void too_long(std::string_view kind, std::string_view line, Part part) {
    add_skip({.file = "report",
              .record = fmt::format("{} {}", kind, line_name(line)),
              .reason = "longer than a line of a report may be, or with a NUL"},
             part);
  }

  std::vector<std::string> lines_;
};

// The lines of a report, checked: sorted, each once and ended.
Result<std::vector<std::string_view>> split_lines(std::string_view text,
                                                  const ReportLimits& limits) {
  if (text.size() > limits.bytes)
    return limit_exceeded(
        fmt::format("a report of {} bytes, at most {} are read", text.size(), limits.bytes));
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto place = [&] { return fmt::format("line {}", lines.size() + 1); };
    if (lines.size() == limits.lines)
      return limit_exceeded(fmt::format("a report of more than {} lines", limits.lines));
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return invalid("has no end").within(place());
    const auto line = text.substr(0, end);
    if (line.size() > limits.line_bytes)
      return limit_exceeded(fmt::format("longer than {} bytes", limits.line_bytes)).within(place());
    if (!lines.empty() && line <= lines.back())
      return invalid("does not come after the line before it").within(place());
    lines.push_back(line);
    text.remove_prefix(end + 1);
  }
  return lines;
}

class LineReader {
 public:
  explicit LineReader(const ReportLimits& limits)
      : parser_({.bytes = limits.line_bytes, .depth = 8, .unique_keys = true}),
        facts_text_(limits.line_bytes) {}

  Result<> read(std::string_view line) {
    if (!line.starts_with('{')) return invalid("an object is needed");
    TRY(const auto object, parser_.parse(line));
    const auto kind = object["k"];
    if (!kind.is_string()) return invalid("k: a string is needed");
    for (const auto& [name, take] : kinds) {
      if (kind.string() == name) return (this->*take)(object);
    }
    return {};
  }

  Result<HostReport> finish() && {
    if (!has_inventory_) return invalid("a report without a line of the kind \"inventory\"");
    auto& facts = report_.facts;
    sort_unique(facts.reboot_reasons);
    sort_unique(facts.addresses);
    sort_unique(facts.listeners);
    sort_unique(facts.programs);
    sort_unique(facts.outdated);
    sort_unique(facts.users);
    sort_unique(facts.sshd);
    sort_unique(facts.sysctl);
    return std::move(report_);
  }

 private:
  using Take = Result<> (LineReader::*)(json::Value);
  struct Kind {
    std::string_view name;
    Take take;
  };

  template <typename T, typename Members>
  static Result<> append(std::vector<T>& list, json::Value object, const Members& members,
                         std::size_t most_bytes) {
    TRY(auto value, inventory::read_members(object, members, most_bytes));
    list.push_back(std::move(value));
    return {};
  }
  template <auto List, const auto& Members>
  Result<> fact(json::Value object) {
    return append(report_.facts.*List, object, Members, facts_text_);
  }

  Result<> package(json::Value object) {
    return append(report_.inventory.packages, object, inventory::package_members, inventory_text);
  }

  Result<> skip(json::Value object) {
    const bool facts = object["of"].string() == of_facts;
    auto& list = facts ? report_.facts.skips : report_.inventory.skips;
    return append(list, object, inventory::skip_members, inventory_text);
  }

  Result<> inventory_head(json::Value object) {
    TRY_VOID(once(has_inventory_));
    TRY(auto head, inventory::read_head(object, inventory_text));
    auto& inventory = report_.inventory;
    inventory.target = head.target;
    inventory.name = std::move(head.name);
    inventory.running_kernel = std::move(head.running_kernel);
    inventory.esm_attached = head.esm_attached;
    inventory.databases_read = head.databases_read;
    return {};
  }

  Result<> os(json::Value object) {
    TRY_VOID(once(has_os_));
    TRY(report_.inventory.os,
        inventory::read_members(object, inventory::os_members, inventory_text));
    return {};
  }

  Result<> host(json::Value object) {
    TRY_VOID(once(has_host_));
    TRY(auto host, inventory::read_members(object, host_members, facts_text_));
    report_.facts.architecture = std::move(host.architecture);
    report_.facts.kernel = std::move(host.kernel);
    report_.facts.booted = host.booted;
    return {};
  }

  Result<> cloud(json::Value object) {
    TRY_VOID(once(has_cloud_));
    TRY(report_.facts.cloud, inventory::read_members(object, cloud_members, facts_text_));
    return {};
  }

  Result<> reboot(json::Value object) {
    TRY(auto reboot, inventory::read_members(object, reboot_members, facts_text_));
    report_.facts.reboot_reasons.push_back(std::move(reboot.reason));
    return {};
  }

  static Result<> once(bool& seen) {
    if (std::exchange(seen, true)) return invalid("a second line of a kind that stands once");
    return {};
  }

  static constexpr Kind kinds[] = {
      {"package", &LineReader::package},
      {"program", &LineReader::fact<&HostFacts::programs, program_members>},
      {"outdated", &LineReader::fact<&HostFacts::outdated, outdated_members>},
      {"listener", &LineReader::fact<&HostFacts::listeners, listener_members>},
      {"address", &LineReader::fact<&HostFacts::addresses, address_members>},
      {"user", &LineReader::fact<&HostFacts::users, user_members>},
      {"sshd", &LineReader::fact<&HostFacts::sshd, setting_members>},
      {"sysctl", &LineReader::fact<&HostFacts::sysctl, setting_members>},
      {"reboot", &LineReader::reboot},
      {skip_kind, &LineReader::skip},
      {"inventory", &LineReader::inventory_head},
      {"os", &LineReader::os},
      {"host", &LineReader::host},
      {"cloud", &LineReader::cloud},
  };

  json::Parser parser_;
  std::size_t facts_text_;
  HostReport report_;
  bool has_inventory_ = false;
  bool has_os_ = false;
  bool has_host_ = false;
  bool has_cloud_ = false;
};

// The lines that stay: every name of `gone` is that of exactly one line.
Result<std::vector<std::string_view>> without(const std::vector<std::string_view>& lines,
                                              std::vector<std::string_view> gone) {
  if (gone.empty()) return lines;
  std::ranges::sort(gone);
  std::vector<bool> found(gone.size());
  std::vector<std::string_view> kept;
  kept.reserve(lines.size());
  for (const auto line : lines) {
    const auto name = line_name(line);
    const auto at = std::ranges::lower_bound(gone, std::string_view(name));
    if (at == gone.end() || *at != name) {
      kept.push_back(line);
      continue;
    }
    const auto index = static_cast<std::size_t>(at - gone.begin());
    if (found[index])
      return Error{Errc::conflict, fmt::format("{} is the name of two lines", name)};
    found[index] = true;
  }
  // A name that stands twice in `gone` is found once, at its first place.
  const auto missing = std::ranges::find(found, false);
  if (missing != found.end())
    return Error{
        Errc::conflict,
        fmt::format(
            "no line has the name {}",
            printable(gone[static_cast<std::size_t>(missing - found.begin())].substr(0, 64)))};
  return kept;
}

Result<std::vector<std::string_view>> sorted_new_lines(const std::vector<std::string>& came,
                                                       const std::vector<std::string_view>& there,
                                                       const ReportLimits& limits) {
  std::vector<std::string_view> lines(came.begin(), came.end());
  std::ranges::sort(lines);
  for (const auto line : lines) {
    if (line.size() > limits.line_bytes)
      return limit_exceeded(fmt::format("a line of more than {} bytes", limits.line_bytes));
    if (line.contains('\n')) return invalid("a line with a line end in it");
    if (std::ranges::binary_search(there, line))
      return Error{Errc::conflict, fmt::format("the line {} is there already", line_name(line))};
  }
  const auto doubled = std::ranges::adjacent_find(lines);
  if (doubled != lines.end())
    return Error{Errc::conflict, fmt::format("the line {} comes twice", line_name(*doubled))};
  return lines;
}

}  // namespace

std::vector<std::string> report_lines(const HostReport& report) {
  const auto& inventory = report.inventory;
  const auto& facts = report.facts;
  LineWriter out;
  out.add_head(inventory);
  out.add("os", inventory.os, inventory::os_members, inventory_text, Part::inventory);
  for (const auto& package : inventory.packages) {
    if (!package.listed_only)
      out.add("package", package, inventory::package_members, inventory_text, Part::inventory);
  }
  for (const auto& skip : inventory.skips) out.add_skip(skip, Part::inventory);
  out.add("host", facts, host_members, facts_text, Part::facts);
  if (facts.cloud != CloudInstance{})
    out.add("cloud", facts.cloud, cloud_members, facts_text, Part::facts);
  for (const auto& reason : facts.reboot_reasons)
    out.add("reboot", RebootReason{reason}, reboot_members, facts_text, Part::facts);
  out.add_facts("address", facts.addresses, address_members);
  out.add_facts("listener", facts.listeners, listener_members);
  out.add_facts("program", facts.programs, program_members);
  out.add_facts("outdated", facts.outdated, outdated_members);
  out.add_facts("user", facts.users, user_members);
  out.add_facts("sshd", facts.sshd, setting_members);
  out.add_facts("sysctl", facts.sysctl, setting_members);
  for (const auto& skip : facts.skips) out.add_skip(skip, Part::facts);
  return out.take();
}

std::size_t count_packages(const std::vector<std::string>& lines) {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [](const std::string& line) { return line.starts_with(R"({"k":"package",)"); }));
}

CloudInstance cloud_of(const std::vector<std::string>& lines) {
  const auto line = std::ranges::find_if(
      lines, [](const std::string& one) { return one.starts_with(R"({"k":"cloud",)"); });
  if (line == lines.end()) return {};
  json::Parser parser;
  const auto object = parser.parse(*line);
  if (!object) return {};
  return inventory::read_members(*object, cloud_members, facts_text).value_or(CloudInstance{});
}

std::string skip_line(const Skip& skip) {
  LineWriter out;
  out.add_skip(skip, Part::inventory);
  return out.take().front();
}

Result<HostReport> read_report(std::string_view text, const ReportLimits& limits) {
  TRY(const auto lines, split_lines(text, limits));
  LineReader reader(limits);
  std::size_t number = 0;
  for (const auto line : lines) {
    ++number;
    if (auto read = reader.read(line); !read)
      return std::move(read).error().within(fmt::format("line {}", number));
  }
  return std::move(reader).finish();
}

std::string line_name(std::string_view line) {
  return crypto::to_hex(crypto::view(crypto::sha256(line)).substr(0, 8));
}

std::string report_digest(const std::vector<std::string>& lines) {
  crypto::Sha256 hash;
  for (const auto& line : lines) {
    hash.update(line);
    hash.update("\n");
  }
  return crypto::to_hex(crypto::view(hash.finish()));
}

std::string whole_body(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out.append("+").append(line).append("\n");
  return out;
}

std::string difference_body(const std::vector<std::string>& before,
                            const std::vector<std::string>& after) {
  std::string out;
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    if (now == after.end() || (old != before.end() && *old < *now)) {
      out.append("-").append(line_name(*old++)).append("\n");
    } else if (old == before.end() || *now < *old) {
      out.append("+").append(*now++).append("\n");
    } else {
      ++old;
      ++now;
    }
  }
  return out;
}

Result<std::string> apply_delta(std::string_view text, const ReportDelta& delta,
                                const ReportLimits& limits) {
  TRY(const auto lines, split_lines(text, limits));
  TRY(const auto kept, without(lines, {delta.gone.begin(), delta.gone.end()}));
  TRY(const auto came, sorted_new_lines(delta.came, lines, limits));
  if (kept.size() + came.size() > limits.lines)
    return limit_exceeded(fmt::format("a report of more than {} lines", limits.lines));
  std::vector<std::string_view> merged(kept.size() + came.size());
  std::ranges::merge(kept, came, merged.begin());
  std::size_t bytes = 0;
  for (const auto line : merged) bytes += line.size() + 1;
  if (bytes > limits.bytes)
    return limit_exceeded(
        fmt::format("a report of {} bytes, at most {} are read", bytes, limits.bytes));
  std::string out;
  out.reserve(bytes);
  for (const auto line : merged) out.append(line).push_back('\n');
  return out;
}

}  // namespace tenken::host
