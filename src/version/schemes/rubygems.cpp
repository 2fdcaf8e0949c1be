// RubyGems: numbers and words, where words sort below numbers and a missing segment is 0
// (Gem::Version). "-" starts a pre-release: 1-alpha = 1.pre.alpha.
#include <cstddef>

#include "base/text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace rubygems_ {

// Zeros at the end equal their absence, so a run of zeros ranks by what follows it: a word makes
// it less than the end, a number more.
enum class Token : unsigned char { word = 1, zero_before_word, end, zero_before_number, number };

class Segments {
 public:
  explicit Segments(Key& key) : key_(key) {}

  void add_number(std::string_view digits) {
    if (is_zero(digits)) {
      ++zeros_;
      return;
    }
    put_zeros(Token::zero_before_number);
    put(key_, Token::number);
    put_number(key_, digits);
  }

  void add_word(std::string_view word) {
    if (!in_words_) zeros_ = 0;  // 1.0.a = 1.a: zeros at the end of the release do not count
    in_words_ = true;
    put_zeros(Token::zero_before_word);
    put(key_, Token::word);
    put_text(key_, word);
  }

  void end() { put(key_, Token::end); }

 private:
  void put_zeros(Token token) {
    for (; zeros_ > 0; --zeros_) put(key_, token);
  }

  Key& key_;
  std::size_t zeros_ = 0;
  bool in_words_ = false;
};

// Gem::Version reads "" as "0". Letters right after a number ("1beta") are a word of their own.
Result<Key> encode(std::string_view version) {
  Key key;
  key.reserve(2 * version.size() + 8);
  Segments segments(key);
  if (!version.empty() && !is_digit(version.front()))
    return invalid("version does not start with a number");
  bool separated = false;
  while (!version.empty()) {
    const char c = version.front();
    if (is_digit(c)) {
      segments.add_number(take_digits(version));
      separated = false;
    } else if (is_alpha(c)) {
      segments.add_word(take_letters(version));
      separated = false;
    } else if ((c == '.' || c == '-') && !separated) {
      if (c == '-') segments.add_word("pre");
      version.remove_prefix(1);
      separated = true;
    } else {
      return invalid("neither number nor word");
    }
  }
  if (separated) return invalid("version ends with a separator");
  segments.end();
  return key;
}

}  // namespace rubygems_

extern constinit const Scheme rubygems{.id = "rubygems", .encode = rubygems_::encode};

}  // namespace tenken::version
