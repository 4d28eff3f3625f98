// The flags of what is optimised and how its result is measured.
#pragma once

#include <nlohmann/json.hpp>

#include "trainer/run/flags.h"
#include "trainer/run/options.h"

namespace gan::run {

void AddObjectiveFlags(Flags& flags, TrainOptions& options);
void AddQualityFlags(Flags& flags, TrainOptions& options);
// Throws UsageError.
void ValidateObjective(const TrainOptions& options);

// The networks that a run with these options (ToJson's, with "d_width": what D has grown to) has.
model::NetworkOptions NetworkFromJson(const nlohmann::json& options);

}  // namespace gan::run
