#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

// XXH3-128 over the bytes of all tensors in order.
std::string DigestOf(const std::vector<at::Tensor>& tensors);

// Collective. Throws CommunicationError naming `what` and the first rank whose bytes differ from rank 0's.
void RequireEqualReplicas(const std::vector<at::Tensor>& tensors, Communicator& communicator, const std::string& what);

}  // namespace gan::distributed
