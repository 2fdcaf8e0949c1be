// How many columns a text takes on a terminal. Independent of the locale, so that the same report
// comes out the same everywhere: East Asian wide characters take two columns, combining marks none.
//
// Source: Unicode Standard Annex #11 (East Asian Width), classes W and F, by whole blocks.
//
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tenken {

// The text is UTF-8 without control characters (base/text.h, printable()); a byte that is neither
// counts one column.
std::size_t display_width(std::string_view text);

// The text itself where it fits, else its longest beginning that leaves room for "…".
std::string fit_width(std::string_view text, std::size_t columns);

// Blanks after the text up to the width; a wider text stays as it is.
std::string pad_width(std::string_view text, std::size_t columns);

}  // namespace tenken
