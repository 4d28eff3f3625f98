// The order of summation is fixed. --deterministic and resuming bit for bit depend on it.
#include <gtest/gtest.h>
#include <torch/utils.h>

#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/distributed/communicator.h"
#include "trainer/distributed/replicas.h"

namespace gan::distributed {
namespace {

torch::Tensor DataOf(int rank, std::int64_t elements) {
  torch::manual_seed(rank);
  return torch::randn({elements}) * 1e3;
}

// A binomial tree to rank 0: neighbours first, then pairs of pairs.
torch::Tensor TreeSum(int first, int span, int size, std::int64_t elements) {
  if (span == 1) return DataOf(first, elements);
  torch::Tensor sum = TreeSum(first, span / 2, size, elements);
  if (first + span / 2 < size) sum = sum + TreeSum(first + span / 2, span / 2, size, elements);
  return sum;
}

TEST(OrderOfSummation, IsABinomialTreeWhateverTheSize) {
  const auto communicator = Communicator::Create(TestWorld(), "order");
  for (const std::int64_t elements : {3, 5'000, 300'000}) {
    torch::Tensor sum = DataOf(communicator->rank(), elements);
    communicator->AllReduce(sum);
    EXPECT_TRUE(torch::equal(sum, TreeSum(0, 8, communicator->size(), elements))) << elements;
    EXPECT_NO_THROW(RequireEqualReplicas({sum}, *communicator, "sums"));
  }
}

}  // namespace
}  // namespace gan::distributed
