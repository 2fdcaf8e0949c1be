#include "base/width.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tenken {
namespace {

struct CodeRange {
  char32_t first;
  char32_t last;
};

constexpr std::array<CodeRange, 18> wide{{
    {0x1100, 0x115F},    // Hangul Jamo, leading consonants
    {0x231A, 0x231B},    // watch, hourglass
    {0x23E9, 0x23EC},    // player symbols
    {0x2E80, 0x303E},    // CJK radicals, punctuation
    {0x3041, 0x33FF},    // Hiragana to CJK compatibility
    {0x3400, 0x4DBF},    // CJK extension A
    {0x4E00, 0xA4CF},    // CJK, Yi
    {0xA960, 0xA97F},    // Hangul Jamo extended A
    {0xAC00, 0xD7A3},    // Hangul syllables
    {0xF900, 0xFAFF},    // CJK compatibility ideographs
    {0xFE10, 0xFE19},    // vertical forms
    {0xFE30, 0xFE6F},    // CJK compatibility forms
    {0xFF00, 0xFF60},    // fullwidth forms
    {0xFFE0, 0xFFE6},    // fullwidth signs
    {0x1F300, 0x1F64F},  // pictographs
    {0x1F680, 0x1F6FF},  // transport
    {0x1F900, 0x1F9FF},  // supplemental pictographs
    {0x20000, 0x3FFFD},  // supplementary ideographic planes
}};

constexpr std::array<CodeRange, 11> without_width{{
    {0x0300, 0x036F},  // combining diacritical marks
    {0x0483, 0x0489},
    {0x0591, 0x05BD},
    {0x064B, 0x065F},
    {0x200B, 0x200F},  // zero width space, joiners, direction marks
    {0x202A, 0x202E},
    {0x2060, 0x206F},
    {0x20D0, 0x20F0},
    {0x3099, 0x309A},  // combining voiced sound marks
    {0xFE00, 0xFE0F},  // variation selectors
    {0xFE20, 0xFE2F},
}};

template <std::size_t n>
bool contains(const std::array<CodeRange, n>& table, char32_t code) {
  const auto* const at = std::ranges::lower_bound(table, code, {}, &CodeRange::last);
  return at != table.end() && at->first <= code;
}

// The sequence is valid UTF-8.
char32_t decode(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return lead;
  char32_t code = lead & (0xFFu >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return code;
}

struct Step {
  std::size_t bytes;
  std::size_t columns;
};

// The first character of a text that is not empty.
Step step(std::string_view text) {
  const auto length = utf8_sequence_length(text);
  if (length <= 1) return {1, 1};
  const char32_t code = decode(text.substr(0, length));
  if (contains(without_width, code)) return {length, 0};
  return {length, contains(wide, code) ? std::size_t{2} : std::size_t{1}};
}

}  // namespace

std::size_t display_width(std::string_view text) {
  // Without an early end, so that the compiler looks at many bytes at a time.
  bool plain = true;
  for (const char c : text) plain &= c >= 0x20 && c < 0x7F;
  if (plain) return text.size();
  std::size_t columns = 0;
  while (!text.empty()) {
    const Step next = step(text);
    columns += next.columns;
    text.remove_prefix(next.bytes);
  }
  return columns;
}

std::string fit_width(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::size_t used = 0;
  std::size_t bytes = 0;
  for (auto rest = text; !rest.empty();) {
    const Step next = step(rest);
    if (used + next.columns > columns - 1) break;
    used += next.columns;
    bytes += next.bytes;
    rest.remove_prefix(next.bytes);
  }
  const auto kept = text.substr(0, bytes);
  return std::string(kept.substr(0, kept.find_last_not_of(' ') + 1)) + "…";
}

std::string pad_width(std::string_view text, std::size_t columns) {
  std::string out(text);
  const auto width = display_width(text);
  if (width < columns) out.append(columns - width, ' ');
  return out;
}

}  // namespace tenken
