#include "trainer/step/statistics.h"

#include <utility>

namespace gan::step {

namespace {

// One call for all tensors needs only a few kernels on a GPU.
void Copy(std::vector<torch::Tensor>& to, const std::vector<torch::Tensor>& from) {
  torch::NoGradGuard no_grad;
  if (!from.empty()) at::_foreach_copy_(to, from);
}

std::vector<torch::Tensor> CopyOf(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> copies;
  for (const torch::Tensor& tensor : tensors) copies.push_back(torch::empty_like(tensor));
  Copy(copies, tensors);
  return copies;
}

}  // namespace

KeptStatistics::KeptStatistics(const std::vector<torch::Tensor>& tensors)
    : tensors_(tensors), copies_(CopyOf(tensors)) {}

void KeptStatistics::PutBack() { Copy(tensors_, copies_); }

StatisticsOfPasses::StatisticsOfPasses(std::vector<torch::Tensor> statistics, std::uint32_t passes)
    : statistics_(std::move(statistics)) {
  if (passes < 2 || statistics_.empty()) return;
  for (std::uint32_t i = 0; i < passes; ++i) of_passes_.push_back(CopyOf(statistics_));
}

void StatisticsOfPasses::Begin(std::size_t pass) {
  if (!of_passes_.empty()) Copy(statistics_, of_passes_.at(pass));
}

void StatisticsOfPasses::End(std::size_t pass) {
  if (!of_passes_.empty()) Copy(of_passes_.at(pass), statistics_);
}

void StatisticsOfPasses::Average() {
  if (of_passes_.empty()) return;
  torch::NoGradGuard no_grad;
  for (std::size_t i = 1; i < of_passes_.size(); ++i) at::_foreach_add_(of_passes_[0], of_passes_[i]);
  at::_foreach_div_(of_passes_[0], static_cast<double>(of_passes_.size()));
  Copy(statistics_, of_passes_[0]);
}

}  // namespace gan::step
