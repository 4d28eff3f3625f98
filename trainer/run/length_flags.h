// The flags for presets and for the length of a run.
#pragma once

#include "trainer/run/flags.h"
#include "trainer/run/options.h"

namespace gan::run {

void AddPresetFlags(Flags& flags, TrainOptions& options);
void AddLengthFlags(Flags& flags, TrainOptions& options);

}  // namespace gan::run
