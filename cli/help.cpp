#include "cli/help.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <sstream>
#include <utility>

#include "cli/flags.h"

namespace gan::cli {

namespace {

constexpr std::size_t kWidth = 80;   // default width of a terminal
constexpr std::size_t kColumn = 28;  // column where descriptions begin
constexpr const char* kGeneral =
    "Options";  // CLI11's name of the group of flags without a group, which are those of AddStandardFlags
constexpr char kSpace = '\x1f';  // marks a space at which a line must not be broken

// The text may contain line ends.
std::size_t LengthOfLastLine(const std::string& text) {
  const std::size_t end = text.rfind('\n');
  return end == std::string::npos ? text.size() : text.size() - end - 1;
}

// Adds spaces after the commas of a list that is longer than a line, so that the line can be broken there.
std::string Breakable(const std::string& list) {
  if (list.size() + kColumn < kWidth) return list;
  std::string text;
  for (const char c : list) text += c == ',' ? std::string(", ") : std::string(1, c);
  return text;
}

// Wraps `text` between words for the columns from kColumn on. Existing line ends are kept.
std::string Wrapped(const std::string& text) {
  const std::string margin = "\n" + std::string(kColumn, ' ');
  std::string wrapped;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!wrapped.empty()) wrapped += margin;
    std::size_t used = 0;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (used > 0 && kColumn + used + 1 + word.size() > kWidth) {
        wrapped += margin;
        used = 0;
      }
      wrapped += (used > 0 ? " " : "") + word;
      used += (used > 0 ? 1 : 0) + word.size();
    }
  }
  std::replace(wrapped.begin(), wrapped.end(), kSpace, ' ');
  return wrapped;
}

// The placeholder for a flag's value: the list of possible words, N for a whole number, X for a fraction, or the type's
// own name.
std::string Placeholder(const CLI::Option& option) {
  const std::string type = option.get_type_name();  // the type, then ":" and each check
  const std::size_t words = type.find('{');
  if (words != std::string::npos) return type.substr(words, type.find('}', words) + 1 - words);
  const std::string base = type.substr(0, type.find(':'));
  if (base == "INT" || base == "UINT") return "N";
  return base == "FLOAT" ? "X" : base;
}

bool TakesValue(const CLI::Option& option) { return option.get_expected_max() > 0 && option.get_type_size() != 0; }

std::string NamesOf(const std::set<CLI::Option*>& options) {
  std::set<std::string> names;  // sorted by name, because the order of pointers differs from one process to another
  for (const CLI::Option* option : options) names.insert(option->get_name());
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : " and ") + name;
  return all;
}

}  // namespace

// CLI11 lists groups in order of declaration; here the general and the rarely needed ones come last.
std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string text = make_description(app) + "\n" + make_usage(app, std::move(name)) + make_positionals(app);
  std::vector<std::string> groups = app->get_groups();
  std::stable_partition(groups.begin(), groups.end(), [](const std::string& group) { return group != kGeneral; });
  std::stable_partition(groups.begin(), groups.end(), [](const std::string& group) { return !IsRare(group); });
  for (const std::string& group : groups) {
    if (group.empty() || (IsRare(group) && mode != CLI::AppFormatMode::All)) continue;
    const auto options = app->get_options(
        [&group](const CLI::Option* option) { return option->get_group() == group && option->nonpositional(); });
    if (!options.empty()) text += make_group(group == kGeneral ? "General" : group, false, options);
  }
  return text + (app->get_footer().empty() ? "" : "\n" + make_footer(app));
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  std::string usage = "Usage: " + (name.empty() ? app->get_name() : name) + " [OPTIONS]";
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional() && !option->get_group().empty()) usage += " " + make_option_usage(option);
  }
  return usage + "\n";
}

// A long name has its description on the next line.
std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string text = "  " + make_option_name(option, is_positional) + make_option_opts(option);
  const std::size_t used = LengthOfLastLine(text);
  text += used + 2 > kColumn ? "\n" + std::string(kColumn, ' ') : std::string(kColumn - used, ' ');
  return text + Wrapped(make_option_desc(option)) + "\n";
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  if (is_positional) return option->get_name(true, false);
  std::string names;
  for (const std::string& name : option->get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option->get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  return names;
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (!option->nonpositional() || !TakesValue(*option)) return "";
  // CLI11 marks an option that accepts any number of values by this constant.
  const bool several = option->get_expected_max() == CLI::detail::expected_max_vector_size;
  return " " + Placeholder(*option) + (several ? " ..." : "");
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::string text = option->get_description();
  const std::string separator = text.find('\n') == std::string::npos ? " " : "\n";
  const std::string by_default = TakesValue(*option) ? option->get_default_str() : "";
  if (option->get_required() && option->nonpositional()) text += separator + "Required.";
  if (!by_default.empty()) text += separator + "Default:" + kSpace + Breakable(by_default) + ".";
  if (!option->get_needs().empty()) text += separator + "Needs " + NamesOf(option->get_needs()) + ".";
  if (!option->get_excludes().empty()) text += separator + "Not together with " + NamesOf(option->get_excludes()) + ".";
  return text;
}

}  // namespace gan::cli
