// A regular expression of a service model, which the whole of a text must satisfy. Matching takes
// time linear in the text, on no stack, whatever the text is (RE2).
//
// The expressions are Java's; of what the models use, RE2 has all but two constructs, which are
// put differently: a look-ahead that forbids a prefix, and more than 1,000 repetitions.
// Thread rule: safe from any thread; compiled at the first use.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tenken::api {

class Pattern {
 public:
  explicit Pattern(std::string text);
  ~Pattern();

  const std::string& text() const { return text_; }
  // Whether the expression can be compiled; one that cannot matches nothing.
  bool usable() const;
  // False for a text above 64 KiB: nothing that a pattern describes is that long.
  bool matches(std::string_view text) const;

 private:
  struct Compiled;
  const Compiled& compiled() const;

  std::string text_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace tenken::api
