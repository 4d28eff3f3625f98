// Saving, restoring and averaging running statistics within a step.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace gan::step {

// A copy of tensors, which can be restored. The destructor does not restore them, because a device error in a
// destructor would end the process without a message. The tensors share storage with the module's.
class SavedStatistics {
 public:
  explicit SavedStatistics(const std::vector<torch::Tensor>& tensors);
  void Restore();
  // Restores the copy if `keep`, a 0-dim boolean on the device of the tensors, is false. Does not wait for a GPU.
  void RestoreUnless(const torch::Tensor& keep);

 private:
  std::vector<torch::Tensor> tensors_;
  std::vector<torch::Tensor> copies_;
};

// Running statistics in a step of several micro-batches. Each micro-batch has its own copy, which starts from the
// values at the beginning of the step, like those of a rank. So k micro-batches on one rank give the same result as one
// micro-batch on each of k ranks: the mean of all copies. Does nothing with one micro-batch.
class StatisticsPerMicroBatch {
 public:
  // `statistics` must share storage with the module's.
  StatisticsPerMicroBatch(std::vector<torch::Tensor> statistics, std::uint32_t micro_batches);

  // Calls body() with the statistics of micro-batch `micro_batch` in place. body() runs forward and backward, because
  // the backward needs the statistics as the forward left them.
  template <typename Body>
  void WithCopy(std::size_t micro_batch, const Body& body) {
    Begin(micro_batch);
    body();
    End(micro_batch);
  }
  // Averages the copies. Call it at the end of the step.
  void Average();

 private:
  void Begin(std::size_t micro_batch);
  void End(std::size_t micro_batch);

  std::vector<torch::Tensor> statistics_;
  std::vector<std::vector<torch::Tensor>> copies_per_micro_batch_;
};

}  // namespace gan::step
