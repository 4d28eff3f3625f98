#pragma once

#include <torch/torch.h>

namespace gan::model {

// a [M, K] x b [K, N] on the CPU, without autograd. float by oneDNN's product, which uses the widest vectors of every
// processor and was twice as fast as MKL's, LibTorch's own, on an AMD one (docs/decisions/0010-convolutions.md);
// another type, or a LibTorch without it, takes LibTorch's.
torch::Tensor Product(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace gan::model
