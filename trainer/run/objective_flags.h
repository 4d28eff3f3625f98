// The flags of the loss, of the networks and of the quality measures.
#pragma once

#include <nlohmann/json.hpp>

#include "trainer/run/flags.h"
#include "trainer/run/options.h"

namespace gan::run {

void AddObjectiveFlags(Flags& flags, TrainOptions& options);
void AddQualityFlags(Flags& flags, TrainOptions& options);
// Throws UsageError.
void ValidateObjective(const TrainOptions& options);

// The networks of a run with these options. `options`: a result of ToJson, with "d_width" for the current width of D.
model::NetworkOptions NetworkFromJson(const nlohmann::json& options);

}  // namespace gan::run
