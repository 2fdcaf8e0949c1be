// Writes JSON text, compact or indented. Strings that are not UTF-8 have the bad bytes replaced by
// U+FFFD; U+0085, U+2028 and U+2029 are escaped, so that a value written on one line is one line
// for every reader. The caller keeps the order and the balance of begin and end.
//
// Thread rule: one writer per thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenken::json {

class Writer {
 public:
  // indent: blanks per level; 0 writes everything on one line.
  explicit Writer(int indent = 0) : indent_(indent) {}

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& integer(std::int64_t value);
  Writer& number(double value);  // shortest text that reads back the same
  Writer& boolean(bool value);
  Writer& null();
  // A whole document as a value; it is written as it stands.
  Writer& document(std::string_view json);

  // key and string at once; member_if leaves the member out where the text is empty.
  Writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }
  Writer& member_if(std::string_view name, std::string_view text) {
    return text.empty() ? *this : member(name, text);
  }
  template <typename Texts>
  Writer& strings(std::string_view name, const Texts& texts) {
    key(name).begin_array();
    for (const auto& text : texts) string(text);
    return end_array();
  }

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }
  // The text so far, which the writer then forgets: for writing a large document in pieces.
  std::string drain();

 private:
  void separate();
  void newline();

  std::string out_;
  std::vector<bool> has_members_;  // per open object or array
  int indent_;
  bool after_key_ = false;
};

// The text as a JSON string literal with its quotes.
void append_string(std::string& out, std::string_view text);

}  // namespace tenken::json
