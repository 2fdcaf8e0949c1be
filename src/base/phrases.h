// The Japanese of what the code says in English: help, answers of commands, reasons of errors. The
// English text as it stands in the code, with its {} for arguments, is the key, as with gettext;
// tools/check_phrases.py proves that every text of the sources has its row. Texts that are chosen
// by value (a severity, a status, a verdict) are Messages instead (base/messages.h).
//
// An Error and a Skip are English wherever they are made, kept or stored: a database is the same
// whoever builds it. They become Japanese where they are shown, by in_language().
//
// Thread rule: pure functions over constant tables.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/messages.h"

namespace tenken {

struct Phrase {
  std::string_view en;
  std::string_view ja;  // the same {} with the same specification; {0} and {1} in another order
};
std::span<const Phrase> command_phrases();  // help, and what commands print
std::span<const Phrase> reason_phrases();   // what an Error or Skip says, also those of libraries

// The text of exactly this key, or the key itself where there is no row.
std::string_view phrase(Lang lang, std::string_view english);

// A finished English text, such as Error::what: "a.json: more than 5 bytes" is taken apart by the
// rows of reason_phrases(), from the outside to the inside; what no row knows (paths, names, the
// words of others) stays as it is.
std::string in_language(Lang lang, std::string_view english);

// tell(lang, "{} files", 3): the row's text with its arguments put in.
template <typename... Arguments>
std::string tell(Lang lang, fmt::format_string<const Arguments&...> english,
                 const Arguments&... arguments) {
  const auto key = fmt::string_view(english);
  return fmt::vformat(fmt::string_view(phrase(lang, {key.data(), key.size()})),
                      fmt::make_format_args(arguments...));
}

}  // namespace tenken
