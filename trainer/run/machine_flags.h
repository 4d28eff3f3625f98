// The flags that say where a run computes, what it serves and sends, and how long its parts may take.
#pragma once

#include "trainer/run/flags.h"
#include "trainer/run/options.h"

namespace gan::run {

void AddMachineFlags(Flags& flags, TrainOptions& options);
void AddMetricsFlags(Flags& flags, TrainOptions& options);
void AddPushFlags(Flags& flags, TrainOptions& options);
void AddTimeoutFlags(Flags& flags, TrainOptions& options);

}  // namespace gan::run
