#pragma once

#include <torch/types.h>

namespace gan::model {

// The matrix product a [M, K] x b [K, N] on the CPU, without autograd. float uses oneDNN's product, which uses the
// widest vector instructions of every processor and was twice as fast as MKL's, LibTorch's default, on an AMD processor
// (docs/decisions/0010-convolutions.md). Other types, and a LibTorch without oneDNN, use LibTorch's product.
torch::Tensor Product(const torch::Tensor& a, const torch::Tensor& b);

// The product with a matrix b that has long, contiguous rows. Measurements chose the implementation: on processors with
// AVX2 but not AVX-512, oneDNN's product takes up to twice as long as MKL's. If b is larger than the caches, MKL's
// takes half as long again as our own (ProductOfFewRows).
torch::Tensor ProductWithRows(const torch::Tensor& a, const torch::Tensor& b);

// Our own product (rows_product.h), in single precision; b's columns are a multiple of 16. Every number is computed in
// one fixed order, whatever the number of threads. Needs AVX2.
torch::Tensor ProductOfFewRows(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace gan::model
