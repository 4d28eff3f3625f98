#pragma once

#include <torch/torch.h>

namespace gan::model {

// The matrix product a [M, K] x b [K, N] on the CPU, without autograd. float uses oneDNN's product, which uses the
// widest vector instructions of every processor and was twice as fast as MKL's, LibTorch's default, on an AMD processor
// (docs/decisions/0010-convolutions.md). Other types, and a LibTorch without oneDNN, use LibTorch's product.
torch::Tensor Product(const torch::Tensor& a, const torch::Tensor& b);

// The same for a b whose rows are contiguous and long, from measurements: on processors with AVX2 alone oneDNN's
// product takes up to twice as long as MKL's for it, and MKL's half as long again as ours (ProductOfFewRows) if b is
// larger than the caches.
torch::Tensor ProductWithRows(const torch::Tensor& a, const torch::Tensor& b);

// Our own product (rows_product.h), in single precision; b's columns are a multiple of 16. Every number is computed in
// one fixed order, whatever the number of threads. Needs AVX2.
torch::Tensor ProductOfFewRows(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace gan::model
