#include "trainer/model/product.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <utility>

namespace gan::model {
namespace {

// Small whole numbers, whose sums are exact in every order.
torch::Tensor WholeMatrix(std::int64_t rows, std::int64_t columns) {
  return torch::randint(-4, 5, {rows, columns}).to(torch::kFloat);
}

// One block and many, blocks that are full and not, rows that are a multiple of six and not.
TEST(ProductOfFewRows, WholeNumbersComeOutExactly) {
  torch::manual_seed(1);
  for (const std::int64_t rows : {1, 5, 6, 32}) {
    for (const std::int64_t depth : {1, 256, 300}) {
      for (const std::int64_t columns : {16, 256, 528}) {
        const torch::Tensor a = WholeMatrix(rows, depth), b = WholeMatrix(depth, columns);
        EXPECT_TRUE(torch::equal(ProductOfFewRows(a, b), a.matmul(b))) << rows << " " << depth << " " << columns;
      }
    }
  }
}

TEST(ProductOfFewRows, AnyNumberOfThreadsGivesTheSameBits) {
  torch::manual_seed(2);
  const torch::Tensor a = torch::randn({7, 300}), b = torch::randn({300, 1040});
  const int before = torch::get_num_threads();
  torch::set_num_threads(1);
  const torch::Tensor alone = ProductOfFewRows(a, b);
  for (const int threads : {2, 3}) {
    torch::set_num_threads(threads);
    EXPECT_TRUE(torch::equal(ProductOfFewRows(a, b), alone));
  }
  torch::set_num_threads(before);
}

// Short rows, rows that fit into the caches, and a matrix beyond them: three ways.
TEST(ProductWithRows, IsTheProductWhateverTheWay) {
  torch::manual_seed(3);
  for (const auto& [depth, columns] : {std::pair(64, 48), std::pair(64, 512), std::pair(1024, 8192)}) {
    const torch::Tensor a = WholeMatrix(8, depth), b = WholeMatrix(depth, columns);
    EXPECT_TRUE(torch::equal(ProductWithRows(a, b), a.matmul(b))) << depth << " " << columns;
    EXPECT_TRUE(torch::equal(Product(a, b), a.matmul(b)));
  }
  const torch::Tensor a = torch::randn({8, 64}, torch::kDouble), b = torch::randn({64, 512}, torch::kDouble);
  EXPECT_TRUE(torch::equal(ProductWithRows(a, b), a.matmul(b)));
}

}  // namespace
}  // namespace gan::model
