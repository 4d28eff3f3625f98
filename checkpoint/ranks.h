// What the ranks do together while they load a checkpoint.
#pragma once

#include <functional>
#include <string>

#include "checkpoint/checkpoint.h"

namespace gan::checkpoint {

std::string HostName();

// Collective. What `work` gives on rank 0, on every rank; where it throws, every rank throws RankError.
std::string FromRankZero(const Ranks& ranks, const std::function<std::string()>& work);

}  // namespace gan::checkpoint
