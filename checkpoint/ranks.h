// Collective operations of the ranks while they load a checkpoint.
#pragma once

#include <functional>
#include <string>

#include "checkpoint/checkpoint.h"

namespace gan::checkpoint {

// Collective. Runs `work` on rank 0 and returns its result on every rank. When it throws, every rank throws RankError.
std::string FromRankZero(const RankGroup& ranks, const std::function<std::string()>& work);

}  // namespace gan::checkpoint
