#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

// The Euclidean norm of all tensors together; not finite when one value is not.
double NormOf(const std::vector<at::Tensor>& tensors);

// Averages a list of tensors over the ranks in place, in one all-reduce through a buffer of their joint size: running
// statistics, or gradients after backward. All tensors of one type and device, of the same shapes in every call and on
// every rank. Owns the buffer, which a single rank does without. Not thread-safe.
class TensorAverage {
 public:
  TensorAverage(const std::vector<at::Tensor>& like, std::shared_ptr<Communicator> communicator);
  // Collective. Returns the Euclidean norm of the average, all tensors together; not finite when one value is not.
  double Average(const std::vector<at::Tensor>& tensors);

 private:
  std::shared_ptr<Communicator> communicator_;
  at::Tensor flat_;
};

}  // namespace gan::distributed
