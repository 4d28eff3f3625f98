#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

// The Euclidean norm of all tensors together, 0-dim float64 on their device. Not finite when a value is not.
at::Tensor NormOf(const std::vector<at::Tensor>& tensors);

// Collective. Averages tensors over the ranks in place with one all-reduce, for running statistics or for gradients
// after the backward. All tensors have the same type and device, and on every rank the same shapes and order. Returns
// the NormOf the averages.
at::Tensor AverageOverRanks(const std::vector<at::Tensor>& tensors, Communicator& communicator);

}  // namespace gan::distributed
