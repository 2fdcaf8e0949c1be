#include "app/help_formatter.h"

#include "app/console.h"
#include "base/text.h"
#include "base/width.h"

namespace tenken::app {
namespace {

std::string said_as(std::string_view english) {
  return std::string(phrase(spoken(), english));
}

// CLI11 joins an option's type and what its check accepts: "TEXT:{en,ja}", "TEXT:FILE".
std::string type_of(const CLI::Option& option) {
  const auto whole = option.get_type_name();
  const auto named = said_as(whole);
  if (named != whole) return named;
  const auto [type, accepted] = split_once(whole, ':');
  return accepted ? said_as(type).append(":").append(*accepted) : said_as(type);
}

}  // namespace

HelpFormatter::HelpFormatter() {
  if (spoken() == Lang::en) return;
  for (const auto* word :
       {"Usage", "OPTIONS", "SUBCOMMAND", "SUBCOMMANDS", "Positionals", "REQUIRED", "Excludes"})
    label(word, said_as(word));
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return said_as(app->get_description()) + "\n";
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  return said_as(app->get_footer()) + "\n";
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  return CLI::Formatter::make_group(said_as(group), is_positional, std::move(options));
}

std::string HelpFormatter::make_subcommands(const CLI::App* app, CLI::AppFormatMode) const {
  const auto subcommands = app->get_subcommands(nullptr);
  if (subcommands.empty()) return "";
  auto out = "\n" + said_as("Subcommands") + ":\n";
  for (const auto* sub : subcommands) out += row(sub->get_name(), sub->get_description());
  return out;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  return row(make_option_name(option, is_positional) + make_option_opts(option),
             option->get_description());
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  std::string out;
  if (option->get_type_size() != 0) {
    out += " " + type_of(*option);
    if (!option->get_default_str().empty()) out += "=" + option->get_default_str();
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size) out += " ...";
    if (option->get_required()) out += " " + get_label("REQUIRED");
  }
  if (option->get_excludes().empty()) return out;
  out += " " + get_label("Excludes") + ":";
  for (const auto* other : option->get_excludes()) out += " " + other->get_name();
  return out;
}

// The right column begins on a line of its own where the left one is wider than its column.
std::string HelpFormatter::row(const std::string& left, const std::string& english) const {
  auto out = pad_width("  " + left, get_column_width());
  if (!out.ends_with(' ')) out += "\n" + std::string(get_column_width(), ' ');
  return out + said_as(english) + "\n";
}

std::string usage_fault(const CLI::App* app, const CLI::Error& error) {
  return said_of(error.what()) + "\n" +
         said("Run with {} for more information.", app->get_help_ptr()->get_name()) + "\n";
}

}  // namespace tenken::app
