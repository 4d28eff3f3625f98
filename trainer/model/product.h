#pragma once

#include <torch/torch.h>

namespace gan::model {

// The matrix product a [M, K] x b [K, N] on the CPU, without autograd. float uses oneDNN's product, which uses the
// widest vector instructions of every processor and was twice as fast as MKL's, LibTorch's default, on an AMD processor
// (docs/decisions/0010-convolutions.md). Other types, and a LibTorch without oneDNN, use LibTorch's product.
torch::Tensor Product(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace gan::model
