#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trainer/distributed/communicator.h"

namespace gan::run {

// Describes the first option in which a rank differs from rank 0; empty when no option differs. options[rank] is the
// result of ToJson on that rank. Options that depend on the host may differ: the path of the shards, threads, the
// address of the metrics.
std::string DifferenceOfRanks(const std::vector<nlohmann::json>& options);

// Collective. Ranks with other options than rank 0 would train something else. Throws UsageError on rank 0 and
// ReportedElsewhere on the others.
void RequireSameOptions(const nlohmann::json& mine, distributed::Communicator& control);

}  // namespace gan::run
