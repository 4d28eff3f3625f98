#include "trainer/model/widen.h"

#include <vector>

#include "trainer/data/sampler.h"
#include "trainer/model/state.h"

namespace gan::model {

namespace {

// Identifies the random numbers of one tensor.
struct Draw {
  std::uint64_t seed, counter, tensor;
};

// Copies all channels; of n channels, number c * n + j is a copy of channel j.
torch::Tensor Copied(const torch::Tensor& tensor, std::int64_t dim, std::int64_t copies) {
  return torch::cat(std::vector<torch::Tensor>(static_cast<std::size_t>(copies), tensor), dim);
}

// Random shares of each weight, [copies, weights]. They are positive, the shares of a weight add up to 1, and none is
// smaller than 1/(3*copies - 2).
torch::Tensor Shares(std::int64_t copies, std::int64_t weights, const Draw& draw) {
  std::vector<double> shares(static_cast<std::size_t>(copies * weights));
  for (std::size_t i = 0; i < shares.size(); ++i) {
    // From 0.5 to 1.5, so no copy starts with almost nothing and none with almost everything.
    shares[i] = 0.5 + data::Uniform(draw.seed, data::Stream::kWiden, draw.counter << 16 | draw.tensor, i);
  }
  const torch::Tensor all = torch::from_blob(shares.data(), {copies, weights}, torch::kDouble);
  return all / all.sum(0);
}

// [out, in, ...] -> [out, copies*in, ...]: each weight is divided among the copies of its input channel.
torch::Tensor Split(const torch::Tensor& weight, std::int64_t copies, const Draw& draw) {
  const torch::Tensor shares = Shares(copies, weight.numel(), draw).to(weight.options());
  std::vector<torch::Tensor> parts;
  for (std::int64_t c = 0; c < copies; ++c) parts.push_back(weight * shares[c].view(weight.sizes()));
  return torch::cat(parts, 1);
}

// Input channels are split in convolutions and in the projection of classes; output channels are copied in all tensors.
torch::Tensor Widened(const torch::Tensor& narrow, const torch::Tensor& wide, const Draw& draw) {
  // A scalar: the number of batches that a batch norm has seen.
  if (narrow.dim() == 0) return narrow;
  torch::Tensor result = narrow;
  if (narrow.dim() >= 2 && wide.size(1) > narrow.size(1)) result = Split(result, wide.size(1) / narrow.size(1), draw);
  return wide.size(0) > narrow.size(0) ? Copied(result, 0, wide.size(0) / narrow.size(0)) : result;
}

}  // namespace

void Widen(const torch::nn::Module& narrow, torch::nn::Module& wide, std::uint64_t seed, std::uint64_t counter) {
  torch::NoGradGuard no_grad;
  const NamedTensors from = NamedState(narrow, "");
  const NamedTensors to = NamedState(wide, "");
  TORCH_CHECK(from.size() == to.size(), "widening needs the same layers on both sides");
  for (std::size_t i = 0; i < from.size(); ++i) {
    torch::Tensor target = to[i].second;
    target.copy_(Widened(from[i].second, target, {seed, counter, i}));
  }
}

}  // namespace gan::model
