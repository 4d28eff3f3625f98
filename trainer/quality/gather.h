#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "trainer/distributed/communicator.h"

namespace gan::quality {

// The part of [0, total) that a rank computes: neighbours stay together in pairs.
struct Share {
  std::int64_t first = 0, count = 0;
};
Share ShareOf(std::int64_t total, int rank, int ranks);

// Collective. Every rank's rows together on every rank, as if one rank had computed them all (bit for bit: each row is
// added to zeros). mine: [share.count, ...] on the CPU.
torch::Tensor GatherRows(const torch::Tensor& mine, const Share& share, std::int64_t total,
                         distributed::Communicator& communicator);

}  // namespace gan::quality
