#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trainer/distributed/communicator.h"
#include "trainer/distributed/gradient_sync_options.h"

namespace gan::distributed {

struct SyncResult {
  // Of the averaged gradient, all parameters together: its Euclidean norm, 0-dim float64 on the gradients' device. Not
  // finite when a value of any rank is not. On a GPU it may not have been computed yet: the two below wait for it.
  at::Tensor norm;
  double gradient_norm() const;
  bool finite() const;
};

// What DistributedDataParallel is to a module in Python: after Backward() every rank holds the gradient of the loss
// averaged over the ranks. It wraps the backward, not the forward, so a module may run any number of times before it
// (a GAN's discriminator sees reals and fakes), and any number of modules may each have one.
//
// Losses of several forwards, gradient penalties (autograd::grad with create_graph) included, are summed into the one
// scalar that Backward gets. A module that is frozen (requires_grad false on all its parameters) takes no part while
// another one's Backward passes through it.
//
// Shares the parameters; the bucketed path owns buffers of their size. Parameters need one type and device; each must
// get a gradient from every Backward. Every rank calls the same in the same order. Throws CommunicationError. Not
// thread-safe.
class GradientSync {
 public:
  GradientSync(std::vector<at::Tensor> parameters, std::shared_ptr<Communicator> communicator,
               const GradientSyncOptions& options = {});
  ~GradientSync();
  GradientSync(GradientSync&&) noexcept;
  GradientSync& operator=(GradientSync&&) noexcept;

  // loss: a scalar. Adds to gradients that are there already (Accumulate), then averages over the ranks.
  SyncResult Backward(const at::Tensor& loss);
  // This rank's gradients grow, nothing is sent: micro-batches before the one that calls Backward (PyTorch: no_sync).
  void Accumulate(const at::Tensor& loss);

 private:
  struct Buckets;

  std::vector<at::Tensor> parameters_;
  std::shared_ptr<Communicator> communicator_;
  std::unique_ptr<Buckets> buckets_;  // the bucketed path, with more than one rank
};

}  // namespace gan::distributed
