// The flags of losses, penalties, D's norms, augmentation, growth and quality.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "trainer/run/options.h"

namespace gan::run {

void AddObjectiveFlags(CLI::App& app, TrainOptions& options);
void AddQualityFlags(CLI::App& app, TrainOptions& options);
void ValidateObjective(const TrainOptions& options);  // throws UsageError
nlohmann::json ObjectiveToJson(const TrainOptions& options);

// The networks of a checkpoint from the options that it keeps; what older versions did not have is as they had it.
model::NetworkOptions NetworkFromJson(const nlohmann::json& options);

}  // namespace gan::run
