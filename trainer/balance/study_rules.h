// Rules of others for choosing the learning rates, to be compared with ours in bench/balance/settings.py.
#pragma once

#include "trainer/balance/actions.h"
#include "trainer/balance/options.h"
#include "trainer/balance/signals.h"

namespace gan::balance {

// The controls after a step with these signals under `rule`, which is not Rule::kBalance. Both rates stay between an
// eighth and eight times the configured ones.
Controls FollowStudyRule(Rule rule, const Controls& controls, const Signals& signals);

}  // namespace gan::balance
