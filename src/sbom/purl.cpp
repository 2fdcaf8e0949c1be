#include "sbom/purl.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "version/ecosystem.h"

namespace tenken::sbom {
namespace {

constexpr std::size_t max_purl_bytes = 16 * 1024;

enum Fold : unsigned { fold_nothing = 0, fold_namespace = 1, fold_name = 2, fold_version = 4 };
enum class Namespace : std::uint8_t { optional, required, prohibited };

// What the type definitions say beyond the common syntax. Types not listed have no rule.
struct TypeRule {
  std::string_view type;
  unsigned folds;  // parts that are written in lower case
  Namespace ns = Namespace::optional;
  std::string_view required_qualifier = {};
};
constexpr std::array type_rules{
    TypeRule{"alpm", fold_namespace | fold_name},
    TypeRule{"apk", fold_namespace | fold_name},
    TypeRule{"bazel", fold_nothing, Namespace::prohibited},
    TypeRule{"bitbucket", fold_namespace | fold_name, Namespace::required},
    TypeRule{"bitnami", fold_name, Namespace::prohibited},
    TypeRule{"brew", fold_namespace | fold_name},
    TypeRule{"cargo", fold_nothing, Namespace::prohibited},
    TypeRule{"chrome-extension", fold_name, Namespace::prohibited},
    TypeRule{"cocoapods", fold_nothing, Namespace::prohibited},
    TypeRule{"composer", fold_namespace | fold_name},
    TypeRule{"conda", fold_nothing, Namespace::prohibited},
    TypeRule{"cran", fold_nothing, Namespace::prohibited},
    TypeRule{"deb", fold_namespace | fold_name},
    TypeRule{"gem", fold_nothing, Namespace::prohibited},
    TypeRule{"git", fold_nothing, Namespace::required},
    TypeRule{"github", fold_namespace | fold_name, Namespace::required},
    TypeRule{"hackage", fold_nothing, Namespace::prohibited},
    TypeRule{"hex", fold_namespace | fold_name},
    TypeRule{"huggingface", fold_version},
    TypeRule{"julia", fold_nothing, Namespace::prohibited, "uuid"},
    TypeRule{"luarocks", fold_namespace | fold_name},
    TypeRule{"mlflow", fold_nothing, Namespace::prohibited},
    TypeRule{"nuget", fold_nothing, Namespace::prohibited},
    TypeRule{"oci", fold_name, Namespace::prohibited},
    TypeRule{"opam", fold_nothing, Namespace::prohibited},
    TypeRule{"otp", fold_nothing, Namespace::prohibited},
    TypeRule{"pub", fold_name, Namespace::prohibited},
    TypeRule{"pypi", fold_name, Namespace::prohibited},
    TypeRule{"qpkg", fold_namespace},
    TypeRule{"rpm", fold_namespace},
    TypeRule{"swid", fold_nothing, Namespace::optional, "tag_id"},
    TypeRule{"swift", fold_nothing, Namespace::required},
    TypeRule{"vcpkg", fold_nothing, Namespace::prohibited},
    TypeRule{"vscode-extension", fold_namespace | fold_name, Namespace::required},
};

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Result<std::string> decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) return invalid("'%' without two hexadecimal digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (valid_utf8(out) != out) return invalid("not UTF-8");
  return out;
}

void append_encoded(std::string& out, std::string_view text, std::string_view kept = "") {
  for (const char c : text) {
    const bool plain = is_alnum(c) || std::string_view(".-_~:").contains(c) || kept.contains(c);
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
}

// Segments between slashes, each decoded; empty ones vanish, as do "." and ".." of a subpath.
Result<std::string> decode_path(std::string_view text, bool is_subpath) {
  std::string out;
  for (const auto raw : split(text, '/')) {
    TRY(const auto segment, decode(raw));
    if (segment.empty() || (is_subpath && (segment == "." || segment == ".."))) continue;
    if (segment.contains('/')) return invalid("a path segment holds an encoded '/'");
    if (!out.empty()) out += '/';
    out += segment;
  }
  return out;
}

bool is_word(std::string_view text, std::string_view also) {
  return !text.empty() && is_alpha(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_alnum(c) || also.contains(c); });
}

Result<> read_qualifiers(std::string_view text, KeyCase key_case, Purl& purl) {
  for (const auto pair : split(text, '&')) {
    if (pair.empty()) continue;
    const auto [key, raw] = split_once(pair, '=');
    if (key_case == KeyCase::strict && !key.empty() && key[0] != ascii_lower(key[0]))
      return invalid(fmt::format("qualifier '{}' is not in lower case", printable(key)));
    TRY(auto value, decode(raw.value_or("")));
    if (value.empty()) continue;
    if (!purl.qualifiers.emplace(ascii_lower(key), std::move(value)).second)
      return invalid(fmt::format("qualifier '{}' stands twice", printable(key)));
  }
  return {};
}

const TypeRule* find_rule(std::string_view type) {
  const auto rule = std::ranges::find(type_rules, type, &TypeRule::type);
  return rule == type_rules.end() ? nullptr : &*rule;
}

Result<> check_chrome_extension(const Purl& purl) {
  const bool good_name = purl.name.size() == 32 && std::ranges::all_of(purl.name, [](char c) {
                           return c >= 'a' && c <= 'p';
                         });
  if (!good_name) return invalid("an extension's id is 32 letters from a to p");
  if (purl.version.empty()) return {};
  const auto parts = split(purl.version, '.');
  const bool good_version = parts.size() <= 4 && std::ranges::all_of(parts, [](auto part) {
                              return parse_uint(part).has_value();
                            });
  if (!good_version) return invalid("an extension's version is one to four numbers");
  return {};
}

Result<> apply_type_rules(Purl& purl) {
  if (const auto* rule = find_rule(purl.type)) {
    if (rule->ns == Namespace::required && purl.ns.empty())
      return invalid(fmt::format("a {} purl needs a namespace", purl.type));
    if (rule->ns == Namespace::prohibited && !purl.ns.empty())
      return invalid(fmt::format("a {} purl has no namespace", purl.type));
    if (!rule->required_qualifier.empty() && purl.qualifier(rule->required_qualifier).empty())
      return invalid(
          fmt::format("a {} purl needs the qualifier {}", purl.type, rule->required_qualifier));
    if (rule->folds & fold_namespace) purl.ns = ascii_lower(purl.ns);
    if (rule->folds & fold_name) purl.name = ascii_lower(purl.name);
    if (rule->folds & fold_version) purl.version = ascii_lower(purl.version);
  }
  if (purl.type == "pypi") purl.name = version::normal_name("PyPI", purl.name);
  if (purl.type == "pub") std::ranges::replace(purl.name, '-', '_');
  if (purl.type == "cpan" && purl.name.contains("::"))
    return invalid("a cpan purl names a distribution, not a module");
  // Only the model registry of Databricks ignores case.
  if (purl.type == "mlflow" && purl.qualifier("repository_url").contains("azuredatabricks"))
    purl.name = ascii_lower(purl.name);
  if (purl.type == "chrome-extension") return check_chrome_extension(purl);
  if (purl.type == "git" && (purl.ns == "github" || purl.ns == "bitbucket"))
    purl.name = ascii_lower(purl.name);
  return {};
}

// The namespace of a git purl is the host, its name the whole path there.
void regroup_git(Purl& purl) {
  if (purl.type != "git") return;
  const auto path = fmt::format("{}/{}", purl.ns, purl.name);
  purl.ns.clear();
  purl.name.clear();
  for (const auto segment : split(path, '/')) {
    if (segment.empty()) continue;
    if (purl.ns.empty()) {
      purl.ns = segment;
      continue;
    }
    if (!purl.name.empty()) purl.name += '/';
    purl.name += segment;
  }
}

// Where "@version" begins. An "@" at the head of a segment that others follow is an npm scope
// written without escape.
std::size_t find_version(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return at;
  const bool heads_segment = at == 0 || text[at - 1] == '/';
  return heads_segment && text.substr(at).contains('/') ? std::string_view::npos : at;
}

}  // namespace

std::string_view Purl::qualifier(std::string_view key) const {
  const auto found = qualifiers.find(key);
  return found == qualifiers.end() ? std::string_view() : std::string_view(found->second);
}

Result<Purl> normal_purl(Purl purl) {
  purl.type = ascii_lower(purl.type);
  if (!is_word(purl.type, ".-+"))
    return invalid(fmt::format("'{}' is no purl type", printable(purl.type)));
  regroup_git(purl);
  if (purl.name.empty()) return invalid("a purl needs a name");
  for (const auto& [key, value] : purl.qualifiers) {
    if (!is_word(key, ".-_"))
      return invalid(fmt::format("'{}' is no qualifier key", printable(key)));
  }
  TRY_VOID(apply_type_rules(purl));
  return purl;
}

// The specification takes the parts off from the right; "?" and "#" are taken at their first
// occurrence instead, as in RFC 3986, so that an unescaped one in a qualifier's URL cannot become
// part of the version.
Result<Purl> parse_purl(std::string_view text, KeyCase key_case) {
  if (text.size() > max_purl_bytes) return limit_exceeded("the purl is too long");
  const auto [before_subpath, subpath] = split_once(text, '#');
  const auto [before_qualifiers, qualifiers] = split_once(before_subpath, '?');
  const auto [scheme, rest] = split_once(before_qualifiers, ':');
  if (!rest || ascii_lower(scheme) != "pkg") return invalid("a purl begins with 'pkg:'");
  auto path = *rest;
  while (path.starts_with('/')) path.remove_prefix(1);
  const auto [type, named] = split_once(path, '/');
  if (!named) return invalid("a purl needs a type and a name");

  Purl purl;
  purl.type = std::string(type);
  path = *named;
  if (const auto at = find_version(path); at != std::string_view::npos) {
    TRY(purl.version, decode(path.substr(at + 1)));
    path = path.substr(0, at);
    // The definition of git writes a "/" before the "@"; elsewhere the name is missing there.
    if (path.empty() || (path.ends_with('/') && ascii_lower(type) != "git"))
      return invalid("a purl needs a name");
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  const auto slash = path.rfind('/');
  TRY(purl.name, decode(path.substr(slash == std::string_view::npos ? 0 : slash + 1)));
  if (slash != std::string_view::npos) {
    TRY(purl.ns, decode_path(path.substr(0, slash), false));
  }
  TRY_VOID(read_qualifiers(qualifiers.value_or(""), key_case, purl));
  TRY(purl.subpath, decode_path(subpath.value_or(""), true));
  return normal_purl(std::move(purl));
}

std::string to_string(const Purl& purl) {
  std::string out = fmt::format("pkg:{}/", purl.type);
  if (!purl.ns.empty()) {
    append_encoded(out, purl.ns, "/");
    out += '/';
  }
  append_encoded(out, purl.name, purl.type == "git" ? "/" : "");
  if (!purl.version.empty()) {
    out += '@';
    append_encoded(out, purl.version);
  }
  char separator = '?';
  for (const auto& [key, value] : purl.qualifiers) {
    if (value.empty()) continue;
    out += std::exchange(separator, '&');
    out += key;
    out += '=';
    append_encoded(out, value);
  }
  if (!purl.subpath.empty()) {
    out += '#';
    append_encoded(out, purl.subpath, "/");
  }
  return out;
}

}  // namespace tenken::sbom
