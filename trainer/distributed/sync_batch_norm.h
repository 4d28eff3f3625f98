#pragma once

#include <torch/torch.h>

#include <memory>

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

// Batch normalisation over the samples of all ranks: n ranks with b images each give what one rank gives with n*b
// (Ioffe and Szegedy, 2015; torch.nn.SyncBatchNorm). Differentiable twice, as gradient penalties need.
// Parameters, buffers and their names are those of BatchNorm2d. In training mode forward and every backward are
// collective: one all-reduce of 2C+1 doubles each; in evaluation mode it is local.
class SyncBatchNorm2dImpl : public torch::nn::BatchNorm2dImpl {
 public:
  // Starts from the values of `local`.
  SyncBatchNorm2dImpl(const torch::nn::BatchNorm2dImpl& local, std::shared_ptr<Communicator> communicator);
  // input: [N, C, H, W], N of this rank; ranks may differ in N.
  torch::Tensor forward(const torch::Tensor& input);

 private:
  void UpdateRunningStatistics(const torch::Tensor& mean, const torch::Tensor& variance, const torch::Tensor& count);

  std::shared_ptr<Communicator> communicator_;
};
TORCH_MODULE(SyncBatchNorm2d);

// The same layers with every BatchNorm2d replaced by a synchronised one that starts from its values; all other layers
// are shared with `layers`.
torch::nn::Sequential WithSyncBatchNorm(const torch::nn::Sequential& layers,
                                        const std::shared_ptr<Communicator>& communicator);

// The sum over all ranks, differentiable any number of times: its gradient is the sum of all ranks' gradients.
torch::Tensor AllReduceSum(const torch::Tensor& tensor, const std::shared_ptr<Communicator>& communicator);

}  // namespace gan::distributed
