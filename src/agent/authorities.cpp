#include "agent/authorities.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "crypto/x509.h"

namespace tenken::agent {
namespace {

constexpr std::string_view begin_mark = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view end_mark = "-----END CERTIFICATE-----";
constexpr std::size_t most_given = 8;
constexpr std::size_t longest_given = std::size_t{64} << 10;
constexpr std::size_t longest_trusted = std::size_t{512} << 10;

// What stands between the marks, with them; what stands around is passed over.
std::vector<std::string_view> certificates_in(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const auto begin = text.find(begin_mark);
    if (begin == std::string_view::npos) return out;
    const auto end = text.find(end_mark, begin);
    if (end == std::string_view::npos) return out;
    out.push_back(text.substr(begin, end + end_mark.size() - begin));
    text.remove_prefix(end + end_mark.size());
  }
}

Result<std::vector<std::string_view>> authorities_in(std::string_view given) {
  if (given.size() > longest_given)
    return limit_exceeded(fmt::format("authorities of more than {} bytes", longest_given));
  auto out = certificates_in(given);
  if (out.size() > most_given)
    return limit_exceeded(fmt::format("more than {} authorities", most_given));
  if (out.empty() && !trim(given).empty()) return invalid("the authority is no certificate");
  for (const auto one : out) {
    TRY(const auto facts, crypto::certificate_facts(one));
    if (!facts.is_ca) return invalid(fmt::format("{}: no authority", printable(facts.subject)));
  }
  return out;
}

bool has_ended(std::string_view certificate, Seconds now) {
  const auto facts = crypto::certificate_facts(certificate);
  return facts && facts->not_after < now;
}

}  // namespace

Result<std::string> with_authorities(std::string_view trusted, std::string_view given,
                                     Seconds now) {
  TRY(const auto offered, authorities_in(given));
  auto all = certificates_in(trusted);
  std::string out(trusted);
  for (const auto one : offered) {
    if (std::ranges::find(all, one) != all.end()) continue;
    all.push_back(one);
    out.append(out.ends_with('\n') ? "" : "\n").append(one).append("\n");
  }
  if (out == trusted || out.size() <= longest_trusted) return out;
  out.clear();
  for (const auto one : all)
    if (!has_ended(one, now)) out.append(one).append("\n");
  if (out.size() > longest_trusted)
    return limit_exceeded(fmt::format("more than {} bytes of authorities", longest_trusted));
  return out;
}

}  // namespace tenken::agent
