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
  // The Euclidean norm of the averaged gradient of all parameters, 0-dim float64 on the gradients' device. It is not
  // finite when a value on any rank is not. On a GPU it may not be computed yet; gradient_norm() and finite() wait for
  // it.
  at::Tensor norm;
  double gradient_norm() const;
  bool finite() const;
};

// The C++ counterpart of DistributedDataParallel: after Backward() every rank holds the gradient of the loss averaged
// over the ranks. It wraps the backward instead of the forward. So a module may be forwarded any number of times before
// one backward (a GAN's discriminator processes real and generated images), and a program may have several modules,
// each with its own GradientSync.
//
// Sum the losses of several forwards, including gradient penalties (autograd::grad with create_graph), into the scalar
// that Backward gets. A frozen module (requires_grad is false for all its parameters) is not synchronised while another
// module's Backward passes through it.
//
// Shares the parameters; kBucketed also owns buffers of their size. All parameters must have the same type and device,
// and each must receive a gradient in every Backward. Every rank makes the same calls in the same order. Throws
// CommunicationError. Not thread-safe.
class GradientSync {
 public:
  GradientSync(std::vector<at::Tensor> parameters, std::shared_ptr<Communicator> communicator,
               const GradientSyncOptions& options = {});
  ~GradientSync();
  GradientSync(GradientSync&&) noexcept;
  GradientSync& operator=(GradientSync&&) noexcept;

  // loss: a scalar. Adds its gradient to existing ones (see Accumulate), then averages over the ranks.
  SyncResult Backward(const at::Tensor& loss);
  // Adds to this rank's gradients without communication: for all micro-batches of an update but the last, which calls
  // Backward (no_sync in PyTorch).
  void Accumulate(const at::Tensor& loss);

 private:
  struct Buckets;

  std::vector<at::Tensor> parameters_;
  std::shared_ptr<Communicator> communicator_;
  std::unique_ptr<Buckets> buckets_;  // null unless gradients are bucketed and there is more than one rank
};

}  // namespace gan::distributed
