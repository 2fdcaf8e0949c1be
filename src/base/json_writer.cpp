#include "base/json_writer.h"

#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"

namespace tenken::json {
namespace {

constexpr std::uint64_t every_byte(std::uint64_t byte) {
  return byte * 0x0101010101010101;
}

// Whether one of eight bytes is a control character, '"', '\\', DEL or no ASCII. A byte b is zero
// exactly where (b - 1) & ~b has its top bit, which carries between bytes can only set too often:
// the byte loop then decides.
bool may_need_escape(std::uint64_t bytes) {
  const auto zero = [](std::uint64_t x) { return (x - every_byte(1)) & ~x; };
  const auto suspects = (bytes - every_byte(0x20)) | bytes | zero(bytes ^ every_byte('"')) |
                        zero(bytes ^ every_byte('\\')) | zero(bytes ^ every_byte(0x7F));
  return (suspects & every_byte(0x80)) != 0;
}

bool eight_may_need_escape(const char* start) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, start, sizeof bytes);
  return may_need_escape(bytes);
}

// The longest prefix that needs neither an escape nor a look at its UTF-8.
std::size_t plain_prefix(std::string_view text) {
  constexpr std::size_t step = sizeof(std::uint64_t);
  std::size_t i = 0;
  while (i + step <= text.size() && !eight_may_need_escape(text.data() + i)) i += step;
  // The rest of a text without suspects is looked at together with bytes before it.
  if (i > 0 && i + step > text.size() && !eight_may_need_escape(text.data() + text.size() - step))
    return text.size();
  while (i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\') break;
    ++i;
  }
  return i;
}

// The plain text in its quotes, with one look at the room there is.
void append_quoted(std::string& out, std::string_view text) {
  const auto first = out.size();
  const auto last = first + 1 + text.size();
  // The size that the callback is given may be the capacity in libstdc++ 12: it is not used.
  out.resize_and_overwrite(last + 1, [&](char* to, std::size_t) {
    to[first] = '"';
    text.copy(to + first + 1, text.size());
    to[last] = '"';
    return last + 1;
  });
}

void append_ascii_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  if (plain_prefix(text) == text.size()) return append_quoted(out, text);
  out += '"';
  while (!text.empty()) {
    const auto plain = plain_prefix(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto length = utf8_sequence_length(text);
    const auto sequence = text.substr(0, length);
    if (length == 0) {
      out += "\\ufffd";
    } else if (length == 1) {
      append_ascii_escape(out, text[0]);
    } else if (length == 2 && sequence < "\xC2\xA0") {
      // C1 controls, U+0085 among them, move the cursor of some terminals.
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(sequence[1]));
    } else if (sequence == "\xE2\x80\xA8" || sequence == "\xE2\x80\xA9") {
      out += sequence[2] == '\xA8' ? "\\u2028" : "\\u2029";
    } else {
      out += sequence;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

namespace {

// What stands before a member: a comma where it is not the first, and its line's beginning.
void begin_line(std::string& out, bool comma, std::size_t blanks) {
  static constexpr std::string_view line = ",\n                                ";
  out += line.substr(comma ? 0 : 1, (comma ? 2 : 1) + blanks);
  if (blanks + 2 > line.size()) out.append(blanks + 2 - line.size(), ' ');
}

}  // namespace

void Writer::newline() {
  if (indent_ != 0)
    begin_line(out_, false, has_members_.size() * static_cast<std::size_t>(indent_));
}

void Writer::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_members_.empty()) return;
  const bool comma = has_members_.back();
  has_members_.back() = true;
  if (indent_ != 0) {
    begin_line(out_, comma, has_members_.size() * static_cast<std::size_t>(indent_));
  } else if (comma) {
    out_ += ',';
  }
}

Writer& Writer::begin_object() {
  separate();
  out_ += '{';
  has_members_.push_back(false);
  return *this;
}

Writer& Writer::end_object() {
  const bool any = has_members_.back();
  has_members_.pop_back();
  if (any) newline();
  out_ += '}';
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  out_ += '[';
  has_members_.push_back(false);
  return *this;
}

Writer& Writer::end_array() {
  const bool any = has_members_.back();
  has_members_.pop_back();
  if (any) newline();
  out_ += ']';
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_string(out_, name);
  out_ += indent_ == 0 ? ":" : ": ";
  after_key_ = true;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  separate();
  append_string(out_, text);
  return *this;
}

Writer& Writer::integer(std::int64_t value) {
  separate();
  out_ += fmt::format_int(value).c_str();
  return *this;
}

Writer& Writer::number(double value) {
  separate();
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(out_), "{}", value);
  } else {
    out_ += "null";
  }
  return *this;
}

Writer& Writer::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

Writer& Writer::null() {
  separate();
  out_ += "null";
  return *this;
}

Writer& Writer::document(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

std::string Writer::drain() {
  std::string out;
  out.reserve(out_.capacity());  // the next piece is about as long
  out.swap(out_);
  return out;
}

}  // namespace tenken::json
