// The flags that say how a run is set up and how long it is.
#pragma once

#include "trainer/run/flags.h"
#include "trainer/run/options.h"

namespace gan::run {

void AddPresetFlags(Flags& flags, TrainOptions& options);
void AddLengthFlags(Flags& flags, TrainOptions& options);

}  // namespace gan::run
