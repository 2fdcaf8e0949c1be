// PyPI: PEP 440 (https://peps.python.org/pep-0440/), and below all of its versions those of before
// it, as setuptools ordered them.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace pep440_ {

enum class Era : unsigned char { legacy = 1, standard };
enum class Release : unsigned char { end = 1, number };
// A development release of a final release sorts below its pre-releases.
enum class Pre : unsigned char { dev_only = 1, alpha, beta, candidate, none };
enum class Post : unsigned char { none = 1, number };
enum class Dev : unsigned char { number = 1, none };
enum class Local : unsigned char { end = 1, text, number };

bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_';
}

void skip_separator(std::string_view& rest) {
  if (!rest.empty() && is_separator(rest.front())) rest.remove_prefix(1);
}

// "[sep]word[sep][digits]", the number 0 where there is none; rest is left alone where no such word
// stands there.
struct Tagged {
  int word = 0;
  std::string_view digits;
};
std::optional<Tagged> take_tagged(std::string_view& rest,
                                  std::initializer_list<std::string_view> words) {
  auto ahead = rest;
  skip_separator(ahead);
  const auto word = take_word(ahead, words);
  if (word < 0) return std::nullopt;
  skip_separator(ahead);
  rest = ahead;
  return Tagged{.word = word, .digits = take_digits(rest)};
}

struct Pieces {
  std::string_view epoch;
  std::vector<std::string_view> release;
  Pre pre = Pre::none;
  std::string_view pre_number;
  std::optional<std::string_view> post;
  std::optional<std::string_view> dev;
  std::string_view local;
};

std::optional<std::string_view> take_post(std::string_view& rest) {
  if (rest.size() > 1 && rest[0] == '-' && is_digit(rest[1])) {
    rest.remove_prefix(1);
    return take_digits(rest);
  }
  const auto tagged = take_tagged(rest, {"post", "rev", "r"});
  return tagged ? std::optional(tagged->digits) : std::nullopt;
}

bool is_local(std::string_view local) {
  bool after_separator = true;
  for (const char c : local) {
    if (!is_alnum(c) && (!is_separator(c) || after_separator)) return false;
    after_separator = is_separator(c);
  }
  return !after_separator;
}

// PEP 440, appendix B; nothing where the version is not of this form.
std::optional<Pieces> parse(std::string_view rest) {
  Pieces pieces;
  take_word(rest, {"v"});
  auto digits = take_digits(rest);
  if (take_prefix(rest, "!")) {
    pieces.epoch = digits;
    digits = take_digits(rest);
  }
  pieces.release.push_back(digits);
  while (rest.size() > 1 && rest[0] == '.' && is_digit(rest[1])) {
    rest.remove_prefix(1);
    pieces.release.push_back(take_digits(rest));
  }
  if (digits.empty()) return std::nullopt;
  static constexpr Pre kinds[] = {Pre::alpha,     Pre::beta,  Pre::candidate, Pre::candidate,
                                  Pre::candidate, Pre::alpha, Pre::beta,      Pre::candidate};
  if (const auto pre =
          take_tagged(rest, {"alpha", "beta", "preview", "pre", "rc", "a", "b", "c"})) {
    pieces.pre = kinds[pre->word];
    pieces.pre_number = pre->digits;
  }
  pieces.post = take_post(rest);
  if (const auto dev = take_tagged(rest, {"dev"})) pieces.dev = dev->digits;
  if (take_prefix(rest, "+")) {
    if (!is_local(rest)) return std::nullopt;
    pieces.local = rest;
    rest = {};
  }
  if (!rest.empty()) return std::nullopt;
  return pieces;
}

void put_local(Key& key, std::string_view local) {
  while (!local.empty()) {
    const auto end = std::ranges::find_if(local, is_separator);
    const auto part = local.substr(0, static_cast<std::size_t>(end - local.begin()));
    local.remove_prefix(std::min(part.size() + 1, local.size()));
    if (all_digits(part)) {
      put(key, Local::number);
      put_number(key, part);
    } else {
      put(key, Local::text);
      put_text(key, ascii_lower(part));
    }
  }
  put(key, Local::end);
}

Key standard_key(Pieces pieces) {
  Key key;
  put(key, Era::standard);
  put_number(key, pieces.epoch);
  while (!pieces.release.empty() && is_zero(pieces.release.back())) pieces.release.pop_back();
  for (const auto number : pieces.release) {
    put(key, Release::number);
    put_number(key, number);
  }
  put(key, Release::end);
  const bool dev_only = pieces.pre == Pre::none && !pieces.post && pieces.dev;
  put(key, dev_only ? Pre::dev_only : pieces.pre);
  put_number(key, pieces.pre_number);
  put(key, pieces.post ? Post::number : Post::none);
  put_number(key, pieces.post.value_or(""));
  put(key, pieces.dev ? Dev::number : Dev::none);
  put_number(key, pieces.dev.value_or(""));
  put_local(key, pieces.local);
  return key;
}

// The parts setuptools compared as texts: numbers padded with zeros to eight digits, words marked
// by '*', so that they sort below numbers.
std::string legacy_part(std::string_view part) {
  if (is_digit(part.front()))
    return std::string(part.size() < 8 ? 8 - part.size() : 0, '0').append(part);
  if (part == "pre" || part == "preview" || part == "rc") return "*c";
  if (part == "-") return "*final-";
  if (part == "dev") return "*@";
  return std::string("*").append(part);
}

std::string_view take_legacy_part(std::string_view& rest) {
  if (is_digit(rest.front())) return take_digits(rest);
  if (is_alpha(rest.front())) return take_letters(rest);
  const auto part = rest.substr(0, 1);
  rest.remove_prefix(1);
  return part;
}

// A text without digit or separator is a word such as "UNKNOWN" or "master", not a version.
Result<Key> legacy_key(std::string_view version) {
  const bool foreign = version.find_first_not_of("0123456789.+-_:!*~abcdefghijklmnopqrstuvwxyz") !=
                       std::string_view::npos;
  if (foreign || version.find_first_of("0123456789.-") == std::string_view::npos)
    return invalid("neither a PEP 440 version nor one of before it");
  for (const auto part : split(version, '.')) {
    if (part == "x" || part == "*") return invalid("a wildcard stands for versions, it is none");
  }
  std::vector<std::string> parts;
  const auto add = [&](std::string part) {
    if (part.front() == '*') {
      while (part < "*final" && !parts.empty() && parts.back() == "*final-") parts.pop_back();
      while (!parts.empty() && parts.back() == "00000000") parts.pop_back();
    }
    parts.push_back(std::move(part));
  };
  while (!version.empty()) {
    const auto part = take_legacy_part(version);
    if (part != ".") add(legacy_part(part));
  }
  add("*final");
  Key key;
  put(key, Era::legacy);
  for (const auto& part : parts) put_text(key, part);
  return key;
}

Result<Key> encode(std::string_view version) {
  TRY_VOID(check_printable(version));
  if (auto pieces = parse(version)) return standard_key(*std::move(pieces));
  return legacy_key(ascii_lower(version));
}

}  // namespace pep440_

extern constinit const Scheme pep440{.id = "pep440", .encode = pep440_::encode};

}  // namespace tenken::version
