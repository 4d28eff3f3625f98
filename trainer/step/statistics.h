// What a step does with running statistics besides moving them.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace gan::step {

// A copy of tensors as they were. Nothing is put back without being asked to: work on a device that fails in a
// destructor would end the process without a word. The tensors share storage with the module's.
class KeptStatistics {
 public:
  explicit KeptStatistics(const std::vector<torch::Tensor>& tensors);
  void PutBack();

 private:
  std::vector<torch::Tensor> tensors_;
  std::vector<torch::Tensor> copies_;
};

// Running statistics of a step of several passes: each pass has its own, which move from the beginning of the step to
// its end as those of a rank do. So k passes on one rank leave what one pass on each of k ranks leaves: the mean of
// all. Does nothing where there is one pass.
class StatisticsOfPasses {
 public:
  // `statistics` share storage with the module's.
  StatisticsOfPasses(std::vector<torch::Tensor> statistics, std::uint32_t passes);

  // Calls body() on the statistics of `pass`: its forward, and the backward, which needs them as forward left them.
  template <typename Body>
  void Around(std::size_t pass, const Body& body) {
    Begin(pass);
    body();
    End(pass);
  }
  // At the end of the step.
  void Average();

 private:
  void Begin(std::size_t pass);
  void End(std::size_t pass);

  std::vector<torch::Tensor> statistics_;
  std::vector<std::vector<torch::Tensor>> of_passes_;
};

}  // namespace gan::step
