// Standard streams and files as commands use them.
//
// Thread rule: one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/exit_code.h"
#include "base/messages.h"
#include "base/result.h"

namespace tenken::app {

void print(std::string_view text);     // standard output
void complain(std::string_view text);  // "tenken: …" on standard error
bool is_terminal(int fd);
std::size_t terminal_width(int fd);  // 0: no terminal

// Calls answer(line) for every line of the file ("-": standard input), in order, and prints what
// it returns with a newline. An empty line is a line.
int answer_lines(const std::string& file,
                 const std::function<std::string(std::string_view)>& answer);

// Writes out what standard output still holds. Text that was lost (a full disk) is said and makes
// the code of a command that did not fail exit_usage.
int finish_output(int code);

// Says why the database cannot be used and which command mends it; returns exit_database.
int database_failed(const Error& error, const std::string& path, Lang lang = Lang::en);

}  // namespace tenken::app
