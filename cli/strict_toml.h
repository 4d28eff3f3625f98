// Reads the file given to --config and rejects what CLI11's own reader would misread.
#pragma once

#include <istream>
#include <vector>

#include <CLI/CLI.hpp>

namespace gan::cli {

// CLI11's reader turns "0,1" and "0 1" into lists and keeps only the last element, keeps only the last value of a
// repeated key, cuts quoted text at a # and reads an empty value as the number 0. This reader treats a # inside quotes
// as part of the text, and reports every other case as an error that names the line and the key.
class StrictToml : public CLI::ConfigTOML {
 public:
  explicit StrictToml(const CLI::App& app);  // which must outlive it
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  void RequireOneValue(const CLI::ConfigItem& item, const std::string& text) const;

  const CLI::App& app_;
};

}  // namespace gan::cli
