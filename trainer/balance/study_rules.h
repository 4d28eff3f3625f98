// Published rules for choosing the learning rates, compared with our own in bench/balance/settings.py.
#pragma once

#include "trainer/balance/actions.h"
#include "trainer/balance/options.h"
#include "trainer/balance/signals.h"

namespace gan::balance {

// The controls after a step with these signals under `rule`, which must not be Rule::kBalance. Both rates stay between
// one eighth and eight times the configured ones.
Controls FollowStudyRule(Rule rule, const Controls& controls, const Signals& signals);

}  // namespace gan::balance
