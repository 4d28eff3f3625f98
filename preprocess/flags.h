// The flags of gan-preprocess.
#pragma once

#include <string>
#include <vector>

#include "cli/flags.h"
#include "preprocess/pipeline/options.h"

namespace gan::preprocess {

struct Flags {
  PreprocessOptions options;
  // As they are written; Resolve() puts them into `options`.
  std::string background = "255,255,255";
  std::vector<std::string> crop = {"center"};

  bool json = false;
  std::string metrics_port = "off";
  std::string metrics_address = "127.0.0.1";
  std::string metrics_password_file;
};

// `flags` must stay until the app has parsed its arguments.
void AddFlags(CLI::App& app, Flags& flags);
// After parsing. Throws UsageError for what is missing, wrong, or does not go together.
void Resolve(Flags& flags);

}  // namespace gan::preprocess
