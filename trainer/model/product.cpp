#include "trainer/model/product.h"

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>

#include "trainer/model/processor.h"
#include "trainer/model/rows_product.h"

namespace gan::model {

namespace {

// The operator that torch.compile uses for a Linear layer: x [M, K], weight [N, K] -> [M, N]. It is registered with the
// dispatcher but declared in no header.
using LinearPointwise = at::Tensor(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                                   std::string_view activation, torch::List<std::optional<at::Scalar>> scalars,
                                   std::optional<std::string_view> algorithm);

}  // namespace

torch::Tensor Product(const torch::Tensor& a, const torch::Tensor& b) {
  // Looked up once, because every layer of every step uses it.
  static const auto linear = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!linear || a.scalar_type() != torch::kFloat) return a.matmul(b);
  return linear->typed<LinearPointwise>().call(a.contiguous(), b.t(), std::nullopt, "none",
                                               torch::List<std::optional<at::Scalar>>(), "");
}

// Uses LibTorch's threads, which share the columns.
torch::Tensor ProductOfFewRows(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor left = a.contiguous(), right = b.contiguous(), c = torch::empty({a.size(0), b.size(1)});
  const RowsProduct product = {
      left.const_data_ptr<float>(),        right.const_data_ptr<float>(),       c.data_ptr<float>(),
      static_cast<std::size_t>(a.size(0)), static_cast<std::size_t>(a.size(1)), static_cast<std::size_t>(b.size(1))};
  // Threads share columns and not rows: there are few rows, and each thread then reads its own part of b, once.
  constexpr std::size_t kBlock = kRowsProductColumns;
  const std::size_t blocks = (product.columns + kBlock - 1) / kBlock;
  at::parallel_for(0, static_cast<std::int64_t>(blocks), 1, [&](std::int64_t begin, std::int64_t end) {
    const torch::Tensor room = torch::empty({static_cast<std::int64_t>(kRowsProductRoom)});
    MultiplyColumns(product, static_cast<std::size_t>(begin) * kBlock,
                    std::min(static_cast<std::size_t>(end) * kBlock, product.columns), room.data_ptr<float>());
  });
  return c;
}

torch::Tensor ProductWithRows(const torch::Tensor& a, const torch::Tensor& b) {
  constexpr std::int64_t kLong = 128;  // shorter rows: oneDNN is faster here as well
  if (!HasAvx2Alone() || b.size(1) < kLong) return Product(a, b);
  constexpr std::int64_t kBeyondCaches = 1 << 23;  // numbers; 32 MiB
  const bool fits = a.scalar_type() == torch::kFloat && b.size(1) % 16 == 0;
  return fits && b.numel() >= kBeyondCaches ? ProductOfFewRows(a, b) : a.matmul(b);
}

}  // namespace gan::model
