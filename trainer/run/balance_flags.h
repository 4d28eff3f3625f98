// The flags of the balance between generator and discriminator.
#pragma once

#include "trainer/run/flags.h"
#include "trainer/run/options.h"

namespace gan::run {

void AddBalanceFlags(Flags& flags, TrainOptions& options);

}  // namespace gan::run
