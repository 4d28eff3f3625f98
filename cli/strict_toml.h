// Reads the file of --config strictly.
#pragma once

#include <istream>
#include <vector>

#include <CLI/CLI.hpp>

namespace gan::cli {

// CLI11's own reader accepts more than it should: "0,1" and "0 1" become lists of which the last element counts, of a
// key that appears twice the last one counts, a # cuts quoted text, and an empty value becomes the number 0. Here each
// of these is an error that names the line and the key, except that a # inside quotes is part of the text.
class StrictToml : public CLI::ConfigTOML {
 public:
  explicit StrictToml(const CLI::App& app);  // which must outlive it
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  void RequireOneValue(const CLI::ConfigItem& item, const std::string& text) const;

  const CLI::App& app_;
};

}  // namespace gan::cli
