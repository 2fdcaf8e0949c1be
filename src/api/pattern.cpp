#include "api/pattern.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include <re2/re2.h>

namespace tenken::api {
namespace {

constexpr std::size_t longest_text = 64 * 1024;
// Of one pattern's program and its cache of states, which texts of strangers make grow.
constexpr std::int64_t most_memory = std::int64_t{1} << 20;

// RE2 repeats at most 1,000 times; this is how the models say more.
struct Rewrite {
  std::string_view text;
  std::string_view equivalent;
};
constexpr Rewrite rewrites[] = {
    {"https://[-a-zA-Z0-9()@:%_+.~#?&//=]{1,1024}",
     "https://[-a-zA-Z0-9()@:%_+.~#?&//=]{1,1000}[-a-zA-Z0-9()@:%_+.~#?&//=]{0,24}"},
};

std::string_view rewritten(std::string_view text) {
  for (const auto& rewrite : rewrites)
    if (rewrite.text == text) return rewrite.equivalent;
  return text;
}

// "(?!aws:)rest" is {"aws:", "rest"}: a text may not begin with the first and satisfies the second.
struct Guarded {
  std::string_view forbidden_prefix;
  std::string_view expression;
};

Guarded without_look_ahead(std::string_view text) {
  constexpr std::string_view opening = "(?!";
  if (!text.starts_with(opening)) return {{}, text};
  const auto end = text.find(')');
  const auto prefix = text.substr(opening.size(), end - opening.size());
  const bool is_literal = prefix.find_first_of("\\[](){}.*+?|^$") == std::string_view::npos;
  if (end == std::string_view::npos || !is_literal) return {{}, text};
  return {prefix, text.substr(end + 1)};
}

RE2::Options options() {
  RE2::Options options(RE2::Quiet);
  options.set_never_capture(true);
  options.set_max_mem(most_memory);
  return options;
}

}  // namespace

struct Pattern::Compiled {
  std::once_flag once;
  std::string forbidden_prefix;
  std::optional<RE2> expression;
};

Pattern::Pattern(std::string text)
    : text_(std::move(text)), compiled_(std::make_unique<Compiled>()) {}
Pattern::~Pattern() = default;

const Pattern::Compiled& Pattern::compiled() const {
  std::call_once(compiled_->once, [this] {
    const auto guarded = without_look_ahead(text_);
    compiled_->forbidden_prefix = guarded.forbidden_prefix;
    const auto expression = rewritten(guarded.expression);
    compiled_->expression.emplace(re2::StringPiece(expression.data(), expression.size()),
                                  options());
  });
  return *compiled_;
}

bool Pattern::usable() const {
  return compiled().expression->ok();
}

bool Pattern::matches(std::string_view text) const {
  const auto& [once, forbidden_prefix, expression] = compiled();
  if (text.size() > longest_text || !expression->ok()) return false;
  if (!forbidden_prefix.empty() && text.starts_with(forbidden_prefix)) return false;
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *expression);
}

}  // namespace tenken::api
