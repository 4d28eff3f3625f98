#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace gan::cli {

// Writes --help: one section per group, texts wrapped to 80 columns, defaults in words. Flags of a RareGroup
// (cli/flags.h) appear only with --help-all. Groups without a heading are never shown.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { label("Positionals", "Arguments"); }
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace gan::cli
