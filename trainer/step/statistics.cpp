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

SavedStatistics::SavedStatistics(const std::vector<torch::Tensor>& tensors)
    : tensors_(tensors), copies_(CopyOf(tensors)) {}

void SavedStatistics::Restore() { Copy(tensors_, copies_); }

// where_out instead of an `if`: the host would have to wait for `keep`.
void SavedStatistics::RestoreUnless(const torch::Tensor& keep) {
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < tensors_.size(); ++i) torch::where_out(tensors_[i], keep, tensors_[i], copies_[i]);
}

StatisticsPerMicroBatch::StatisticsPerMicroBatch(std::vector<torch::Tensor> statistics, std::uint32_t micro_batches)
    : statistics_(std::move(statistics)) {
  if (micro_batches < 2 || statistics_.empty()) return;
  for (std::uint32_t i = 0; i < micro_batches; ++i) copies_per_micro_batch_.push_back(CopyOf(statistics_));
}

void StatisticsPerMicroBatch::Begin(std::size_t micro_batch) {
  if (!copies_per_micro_batch_.empty()) Copy(statistics_, copies_per_micro_batch_.at(micro_batch));
}

void StatisticsPerMicroBatch::End(std::size_t micro_batch) {
  if (!copies_per_micro_batch_.empty()) Copy(copies_per_micro_batch_.at(micro_batch), statistics_);
}

// The sum is built in the first copy, which is no longer needed.
void StatisticsPerMicroBatch::Average() {
  if (copies_per_micro_batch_.empty()) return;
  torch::NoGradGuard no_grad;
  for (std::size_t i = 1; i < copies_per_micro_batch_.size(); ++i)
    at::_foreach_add_(copies_per_micro_batch_[0], copies_per_micro_batch_[i]);
  at::_foreach_div_(copies_per_micro_batch_[0], static_cast<double>(copies_per_micro_batch_.size()));
  Copy(statistics_, copies_per_micro_batch_[0]);
}

}  // namespace gan::step
