#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

// The Euclidean norm of all tensors together, 0-dim float64 on their device; not finite when one value is not.
at::Tensor NormOf(const std::vector<at::Tensor>& tensors);

// Averages tensors over the ranks in place, in one all-reduce: running statistics, or gradients after backward. All of
// one type and device, of the same shapes and order on every rank. Collective. Returns the NormOf the
// averages.
at::Tensor AverageOverRanks(const std::vector<at::Tensor>& tensors, Communicator& communicator);

}  // namespace gan::distributed
