#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trainer/distributed/communicator.h"

namespace gan::run {

// In words, the first option in which a rank differs from rank 0; empty when none does. options[rank] is what ToJson
// gave there. What belongs to a host may differ: where the shards lie, threads, the address of the metrics.
std::string DifferenceOfRanks(const std::vector<nlohmann::json>& options);

// Collective. Ranks with other options than rank 0 would train something else beside it. Throws UsageError on rank 0
// and ReportedElsewhere on the others.
void RequireSameOptions(const nlohmann::json& mine, distributed::Communicator& control);

}  // namespace gan::run
