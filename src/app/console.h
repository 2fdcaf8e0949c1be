// Standard streams and files as commands use them.
//
// Thread rule: one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/exit_code.h"
#include "base/phrases.h"
#include "base/result.h"

namespace tenken::app {

// The language of everything that is said, once, before the first word; English without it.
void speak(Lang lang);
Lang spoken();

// A text of the catalogue in that language, its arguments put in.
template <typename... Arguments>
std::string said(fmt::format_string<const Arguments&...> english, const Arguments&... arguments) {
  return tell(spoken(), english, arguments...);
}
// A finished English text, such as Error::what, in that language and safe to show.
std::string said_of(std::string_view english);

void print(std::string_view text);     // standard output
void complain(std::string_view text);  // "tenken: …" on standard error, in the language
bool is_terminal(int fd);
std::size_t terminal_width(int fd);  // 0: no terminal

// Calls answer(line) for every line of the file ("-": standard input), in order, and prints what
// it returns with a newline. An empty line is a line; one past 1 MiB is a fault: limit.
using Line = Result<std::string_view>;
int answer_lines(const std::string& file, const std::function<std::string(const Line&)>& answer);

// Writes out what standard output still holds. Text that was lost (a full disk) is said and makes
// the code of a command that did not fail exit_usage.
int finish_output(int code);

// Says why the database cannot be used and which command mends it; returns exit_database.
int database_failed(const Error& error, const std::string& path);

}  // namespace tenken::app
