#include "base/phrases.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/text.h"

namespace tenken {
namespace {

constexpr std::size_t limit_text = 4096;  // bytes; a longer text is shown as it is
constexpr int limit_depth = 6;            // texts inside texts

// The pieces of a key around its {…}: "{} of {} bytes" is {"", " of ", " bytes"}.
std::vector<std::string_view> literal_pieces(std::string_view key) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const auto open = key.find('{');
    pieces.push_back(key.substr(0, open));
    if (open == std::string_view::npos) return pieces;
    key.remove_prefix(std::min(key.find('}', open), key.size() - 1) + 1);
  }
}

struct Match {
  const Phrase* row = nullptr;
  std::size_t literal = 0;  // bytes of the text that the key itself states
  std::vector<std::string_view> arguments;
};

// "where: what" and "one; another" are parts of their own: an argument holds such a mark only where
// the key leaves it room, in quotes or after a mark of the key.
bool fits(std::string_view argument, std::string_view before, std::string_view after) {
  if (!argument.contains(": ") && !argument.contains("; ")) return true;
  return before.ends_with(": ") || before.ends_with('"') || before.ends_with('\'') ||
         after.starts_with("; ");
}

// The whole text as the key with arguments put in; each argument is as short as can be.
std::optional<Match> match(const Phrase& row, std::string_view text) {
  const auto pieces = literal_pieces(row.en);
  if (!text.starts_with(pieces.front())) return std::nullopt;
  Match out{.row = &row, .literal = pieces.front().size(), .arguments = {}};
  text.remove_prefix(pieces.front().size());
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    const auto piece = pieces[i];
    const bool last = i + 1 == pieces.size();
    if (last && !text.ends_with(piece)) return std::nullopt;
    const auto end = last ? text.size() - piece.size() : text.find(piece);
    if (end == std::string_view::npos || !fits(text.substr(0, end), pieces[i - 1], piece))
      return std::nullopt;
    out.arguments.push_back(text.substr(0, end));
    out.literal += piece.size();
    text.remove_prefix(end + piece.size());
  }
  return text.empty() ? std::optional(std::move(out)) : std::nullopt;
}

Match best_match(std::string_view text) {
  Match best;
  for (const auto& row : reason_phrases()) {
    auto found = match(row, text);
    if (found && found->literal > best.literal) best = *std::move(found);
  }
  return best;
}

// The row's Japanese with {} or {0} replaced; a specification has done its work already.
std::string put_in(std::string_view ja, const std::vector<std::string>& arguments) {
  std::string out;
  std::size_t next = 0;
  for (;;) {
    const auto open = ja.find('{');
    out += ja.substr(0, open);
    if (open == std::string_view::npos) return out;
    const auto close = ja.find('}', open);
    CHECK(close != std::string_view::npos);
    const auto index = parse_uint(split_once(ja.substr(open + 1, close - open - 1), ':').first);
    const auto argument = index.value_or(next++);
    CHECK(argument < arguments.size());
    out += arguments[argument];
    ja.remove_prefix(close + 1);
  }
}

// Its depth is bounded by limit_depth, its work by that of the text: arguments are parts of it.
std::string translate(std::string_view text, int depth) {
  std::string out;
  while (!text.empty()) {
    if (const auto best = best_match(text); best.row != nullptr) {
      std::vector<std::string> arguments;
      for (const auto argument : best.arguments)
        arguments.push_back(depth == 0 ? std::string(argument) : translate(argument, depth - 1));
      return out + put_in(best.row->ja, arguments);
    }
    // "where: what" and "one; another": the first part by itself, then the rest.
    const auto end = std::min(text.find(": "), text.find("; "));
    if (end == std::string_view::npos || depth == 0) return out.append(text);
    out += translate(text.substr(0, end), depth - 1);
    out += text.substr(end, 2);
    text.remove_prefix(end + 2);
  }
  return out;
}

}  // namespace

std::string_view phrase(Lang lang, std::string_view english) {
  if (lang == Lang::en) return english;
  for (const auto rows : {command_phrases(), reason_phrases()}) {
    const auto* row = std::ranges::find(rows, english, &Phrase::en).base();
    if (row != rows.data() + rows.size()) return row->ja;
  }
  return english;
}

std::string in_language(Lang lang, std::string_view english) {
  if (lang == Lang::en || english.size() > limit_text) return std::string(english);
  return translate(english, limit_depth);
}

}  // namespace tenken
