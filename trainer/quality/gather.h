#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "trainer/distributed/communicator.h"

namespace gan::quality {

// The range of [0, total) that one rank computes. Pairs of neighbours (2k, 2k + 1) are not separated.
struct Share {
  std::int64_t first = 0, count = 0;
};
Share ShareOfRank(std::int64_t total, int rank, int ranks);

// Collective. Returns the rows of all ranks on every rank, bit for bit as if one rank had computed them: each row is
// only added to zeros. mine: [share.count, ...] on the CPU.
torch::Tensor GatherRows(const torch::Tensor& mine, const Share& share, std::int64_t total,
                         distributed::Communicator& communicator);

}  // namespace gan::quality
