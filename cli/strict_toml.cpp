#include "cli/strict_toml.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace gan::cli {

namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Keys may be quoted in TOML.
std::string_view Unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// The part of the line before a # that is outside of quotes.
std::string_view WithoutComment(std::string_view line) {
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote != '\0') {
      if (line[i] == quote) quote = '\0';
    } else if (line[i] == '"' || line[i] == '\'') {
      quote = line[i];
    } else if (line[i] == '#') {
      return line.substr(0, i);
    }
  }
  return line;
}

// The key before the equals sign, as CLI11 reads it; "" when there is none.
std::string_view KeyOf(std::string_view line) {
  return Unquoted(Trimmed(line.substr(0, std::min(line.find('='), line.size()))));
}

// Whether a # follows an unquoted text directly, as in "run = a#1". TOML begins a comment there, but the user most
// likely means a name with a #, and would silently get another run.
bool LooksCut(std::string_view line, std::string_view kept) {
  if (kept.size() == line.size() || kept.empty() || kBlank.find(kept.back()) != std::string_view::npos) return false;
  const std::size_t equals = kept.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view value = Trimmed(kept.substr(equals + 1));
  const bool is_number = value.find_first_not_of("+-.0123456789_eE") == std::string_view::npos;
  const bool is_closed = value.ends_with('"') || value.ends_with('\'') || value.ends_with(']');
  return !is_number && !is_closed && value != "true" && value != "false";
}

std::string WithoutComments(std::istream& input) {
  std::string text;
  std::size_t number = 0;
  for (std::string line; std::getline(input, line);) {
    ++number;
    const std::string_view kept = WithoutComment(line);
    if (LooksCut(line, kept)) {
      throw CLI::ConfigError("the file of --config, line " + std::to_string(number) +
                             ": a # directly after a value; put the text in quotes, or a space before the comment");
    }
    text += kept;
    text += '\n';
  }
  return text;
}

// The number of the last line with this key, counted from 1.
std::size_t LineOf(const std::string& key, const std::string& text) {
  std::istringstream lines(text);
  std::size_t number = 0, found = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (KeyOf(line) == key) found = number;
  }
  return found;
}

[[noreturn]] void Refuse(const std::string& key, const std::string& text, const std::string& what) {
  throw CLI::ConfigError("the file of --config, line " + std::to_string(LineOf(key, text)) + ": " + key + " " + what);
}

// A key may name a flag or a positional argument.
const CLI::Option* Find(const CLI::App& app, const std::string& name) {
  const CLI::Option* flag = app.get_option_no_throw("--" + name);
  return flag != nullptr ? flag : app.get_option_no_throw(name);
}

}  // namespace

StrictToml::StrictToml(const CLI::App& app) : app_(app) {
  comment('\0');  // disables CLI11's own comments; WithoutComments removes them correctly
}

std::vector<CLI::ConfigItem> StrictToml::from_config(std::istream& input) const {
  const std::string text = WithoutComments(input);
  std::istringstream lines(text);
  std::vector<CLI::ConfigItem> entries = CLI::ConfigTOML::from_config(lines);
  std::set<std::string> seen;
  for (const CLI::ConfigItem& item : entries) {
    RequireOneValue(item, text);
    // CLI11 marks the begin and the end of a section by these names.
    const bool is_section = item.name == "++" || item.name == "--";
    if (!is_section && !seen.insert(item.fullname()).second) Refuse(item.name, text, "occurs a second time");
  }
  return entries;
}

void StrictToml::RequireOneValue(const CLI::ConfigItem& item, const std::string& text) const {
  const CLI::Option* option = item.parents.empty() ? Find(app_, item.name) : nullptr;
  if (option == nullptr || option->get_expected_max() > 1) return;
  if (item.inputs.size() > 1) {
    std::string values;
    for (const std::string& value : item.inputs) values += (values.empty() ? "" : ", ") + value;
    Refuse(item.name, text,
           "has the values " + values +
               " where one value is expected; write a number with a point, a text with commas or spaces "
               "in quotes, and each key only once");
  }
  const bool is_empty = item.inputs.empty() || item.inputs.front().empty();
  if (is_empty && option->get_expected_min() > 0) Refuse(item.name, text, "has no value");
}

}  // namespace gan::cli
