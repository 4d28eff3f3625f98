#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

struct SyncResult {
  double gradient_norm = 0;  // Euclidean norm of the averaged gradient, all parameters together
  bool finite = true;        // of gradients and buffers, on all ranks
};

// Averages the gradients of one module's parameters, and any further buffers, over the ranks: one flat all-reduce after
// backward, so the order of summation never changes. Call it once after every backward; all ranks at the same point.
// Shares the tensors; owns one flat buffer of their size. Parameters must have gradients of one type and device.
// Not thread-safe.
class GradientSync {
 public:
  GradientSync(std::vector<at::Tensor> parameters, std::vector<at::Tensor> buffers,
               std::shared_ptr<Communicator> communicator);
  SyncResult Synchronise();

 private:
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> buffers_;
  std::shared_ptr<Communicator> communicator_;
  at::Tensor flat_;
};

}  // namespace gan::distributed
