// The file of --config, read so that no value is taken for another one.
#pragma once

#include <istream>
#include <vector>

#include <CLI/CLI.hpp>

namespace gan::cli {

// CLI11's TOML reads 0,1 as a list of two and keeps the last; so it does with numbers that a space parts, and with a
// key that stands twice; it cuts quoted texts at a # and takes nothing for the number 0. All of that is an error here
// that names line and key, but for the # in quotes, which is part of the text.
class StrictToml : public CLI::ConfigTOML {
 public:
  explicit StrictToml(const CLI::App& app);  // which must outlive it
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  void RequireOneValue(const CLI::ConfigItem& item, const std::string& text) const;

  const CLI::App& app_;
};

}  // namespace gan::cli
