#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>

#include <memory>

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

// Batch normalisation over the samples of all ranks: n ranks with b images each compute the same as one rank with n*b
// images (Ioffe and Szegedy, 2015; torch.nn.SyncBatchNorm). Twice differentiable, as gradient penalties require.
// Parameters, buffers and their names are those of BatchNorm2d. In training mode forward and every backward are
// collective, with one all-reduce of 2C+1 doubles each. In evaluation mode there is no communication.
class SyncBatchNorm2dImpl : public torch::nn::BatchNorm2dImpl {
 public:
  // Copies the parameters and buffers of `local`.
  SyncBatchNorm2dImpl(const torch::nn::BatchNorm2dImpl& local, std::shared_ptr<Communicator> communicator);
  // input: [N, C, H, W] with the samples of this rank; N may differ between ranks.
  torch::Tensor forward(const torch::Tensor& input);

 private:
  void UpdateRunningStatistics(const torch::Tensor& mean, const torch::Tensor& variance, const torch::Tensor& count);

  std::shared_ptr<Communicator> communicator_;
};
TORCH_MODULE(SyncBatchNorm2d);

// A network in which every BatchNorm2d is replaced by a synchronised one with the same values. All other layers are
// shared with `layers`, and so are modules that are registered beside the layers.
torch::nn::Sequential WithSyncBatchNorm(const torch::nn::Sequential& layers,
                                        const std::shared_ptr<Communicator>& communicator);

// The sum over all ranks, differentiable any number of times. Its gradient is the sum of the gradients of all ranks.
torch::Tensor AllReduceSum(const torch::Tensor& tensor, const std::shared_ptr<Communicator>& communicator);

}  // namespace gan::distributed
