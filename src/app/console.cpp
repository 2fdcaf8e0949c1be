#include "app/console.h"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <vector>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

namespace tenken::app {

namespace {

constexpr std::size_t line_limit = std::size_t{1} << 20;

constinit Lang language = Lang::en;

}  // namespace

void speak(Lang lang) {
  language = lang;
}

Lang spoken() {
  return language;
}

std::string said_of(std::string_view english) {
  return in_language(language, printable(english));
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void complain(std::string_view text) {
  const auto line = fmt::format("tenken: {}\n", in_language(language, text));
  std::fwrite(line.data(), 1, line.size(), stderr);
}

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

std::size_t terminal_width(int fd) {
  winsize size{};
  if (!is_terminal(fd) || ::ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

int answer_lines(const std::string& file, const std::function<std::string(const Line&)>& answer) {
  std::ios::sync_with_stdio(false);
  std::ifstream from_file;
  if (file != "-") {
    from_file.open(file, std::ios::binary);
    if (!from_file) {
      complain(said("{}: cannot be read", printable(file)));
      return exit_usage;
    }
  }
  std::istream& in = file == "-" ? std::cin : from_file;
  std::string line;
  bool any = false;
  const auto too_long = limit_exceeded(fmt::format("the line is longer than {} bytes", line_limit));
  const auto finish = [&] {
    if (line.ends_with('\r')) line.pop_back();
    print(answer(line.size() > line_limit ? Line(too_long) : Line(line)));
    print("\n");
    line.clear();
    any = false;
  };
  std::vector<char> block(1 << 16);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
    for (const char c : std::string_view(block.data(), static_cast<std::size_t>(in.gcount()))) {
      any = true;
      if (c == '\n') {
        finish();
      } else if (line.size() <= line_limit) {
        line += c;
      }
    }
  }
  if (any) finish();
  if (in.bad()) {
    complain(said("{}: reading failed", printable(file)));
    return exit_usage;
  }
  return exit_ok;
}

int finish_output(int code) {
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0) return code;
  const bool failed = code == exit_usage || code == exit_target || code == exit_database;
  if (failed) return code;  // and has said why
  complain("standard output: cannot be written");
  return exit_usage;
}

int database_failed(const Error& error, const std::string& path) {
  constexpr std::string_view mend = "tenken db update";
  complain(
      error.code == Errc::not_found
          ? say(language, Message::database_missing, printable(path), mend)
          : say(language, Message::database_corrupt, printable(path), said_of(error.what), mend));
  return exit_database;
}

}  // namespace tenken::app
