// Options as gan-train has them after it has parsed a command line.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "trainer/run/flags_of_run.h"
#include "trainer/run/options.h"

namespace gan::run {

// `arguments`: without the required --shards.
inline TrainOptions Parsed(std::vector<std::string> arguments) {
  CLI::App app;
  TrainOptions options;
  AddTrainFlags(app, options);
  arguments.insert(arguments.begin(), {"--shards", "s"});
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  options.given = GivenFlags(app);
  return options;
}

}  // namespace gan::run
