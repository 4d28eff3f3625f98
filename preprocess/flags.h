// The flags of gan-preprocess.
#pragma once

#include <string>
#include <vector>

#include "cli/flags.h"
#include "preprocess/pipeline/options.h"

namespace gan::preprocess {

struct Flags {
  PreprocessOptions options;
  // As the user writes it; Resolve() parses it into `options`.
  std::string background = "255,255,255";
  std::vector<std::string> crop = {"center"};

  bool json = false;
  std::string metrics_port = "off";
  std::string metrics_address = "127.0.0.1";
  std::string metrics_password_file;
};

// `flags` must exist until the app has parsed its arguments.
void AddFlags(CLI::App& app, Flags& flags);
// Call it after parsing. Throws UsageError for flags that are missing, wrong, or contradict each other.
void Resolve(Flags& flags);

}  // namespace gan::preprocess
