#include "store/kept_details.h"

#include <string_view>

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "sql/dialect.h"

namespace tenken::store {
namespace {

// Of a document of ours, which is not deep and has texts, integers, lists and objects.
void write(json::Writer& out, json::Value value) {
  if (value.is_object()) {
    out.begin_object();
    value.for_each_member([&](std::string_view name, json::Value member) {
      out.key(name);
      write(out, member);
    });
    out.end_object();
  } else if (value.is_array()) {
    out.begin_array();
    value.for_each([&](json::Value one) { write(out, one); });
    out.end_array();
  } else if (const auto number = value.integer()) {
    out.integer(*number);
  } else {
    out.string(value.string());
  }
}

// The members of both; of one that both have, what is said counts. What is said of a system without
// its name is nothing: one that is known stays as it is.
void write_both(json::Writer& out, json::Value known, json::Value said) {
  out.begin_object();
  known.for_each_member([&](std::string_view name, json::Value before) {
    out.key(name);
    const bool is_known_system = name == "os" && before["id"];
    const auto now = is_known_system ? json::Value() : said[name];
    if (before.is_object() && now.is_object())
      write_both(out, before, now);
    else
      write(out, now ? now : before);
  });
  said.for_each_member([&](std::string_view name, json::Value now) {
    if (known[name]) return;
    out.key(name);
    write(out, now);
  });
  out.end_object();
}

std::string both(std::string_view known, std::string_view said) {
  constexpr json::Limits limits{.bytes = std::size_t{1} << 20, .depth = 8};
  json::Parser known_parser(limits);
  json::Parser said_parser(limits);
  const auto before = known_parser.parse(known);
  const auto now = said_parser.parse(said);
  if (!before || !now) return std::string(said);
  json::Writer out;
  write_both(out, *before, *now);
  return out.take();
}

}  // namespace

Result<HostDetails> host_details(sql::Connection& connection, ResourceId id,
                                 const InventoryWrite& inventory) {
  HostDetails said{.platform = inventory.platform, .details = inventory.details};
  if (inventory.complete || !inventory.platform.empty()) return said;
  TRY(auto rows,
      connection.query(fmt::format("SELECT platform, details FROM resource WHERE resource_id = ?1 "
                                   "AND coverage_reason <> 'RESOURCE_TERMINATED'{}",
                                   sql::dialect(connection.engine()).for_update),
                       id.value));
  TRY(const auto* known, rows->next());
  if (known == nullptr) return said;
  return HostDetails{.platform = known->string(0), .details = both(known->text(1), said.details)};
}

}  // namespace tenken::store
