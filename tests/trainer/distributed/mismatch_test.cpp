// Ranks that do not do the same: an error on every rank, never a wrong sum on some of them.
#include <gtest/gtest.h>
#include <torch/types.h>

#include <functional>

#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/distributed/communicator.h"

namespace gan::distributed {
namespace {

// Lets rank 1 call something else where all others call `usual`. The error must name both calls on every rank.
void ExpectMismatch(const std::function<void(Communicator&)>& usual, const std::string& usual_name,
                    const std::function<void(Communicator&)>& odd, const std::string& odd_name) {
  const auto communicator = Communicator::Create(TestWorld(), "test");
  if (communicator->size() == 1) {
    EXPECT_NO_THROW(usual(*communicator));  // alone there is nobody to differ from
    return;
  }
  try {
    communicator->rank() == 1 ? odd(*communicator) : usual(*communicator);
    ADD_FAILURE() << "different collectives met and nobody noticed";
  } catch (const CommunicationError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find(usual_name), std::string::npos) << what;
    EXPECT_NE(what.find(odd_name), std::string::npos) << what;
    const std::string other = communicator->rank() == 1 ? "rank 0 calls" : "rank 1 calls";
    EXPECT_NE(what.find(other), std::string::npos) << what;
  }
  EXPECT_THROW(communicator->Barrier(), CommunicationError);
}

void Sum(Communicator& communicator, std::int64_t elements, torch::ScalarType type = torch::kFloat) {
  torch::Tensor t = torch::ones({elements}, type);
  communicator.AllReduce(t);
}

TEST(Mismatch, DifferentSizesAreAnErrorOnEveryRank) {
  ExpectMismatch([](auto& c) { Sum(c, 10); }, "allreduce/40", [](auto& c) { Sum(c, 20); }, "allreduce/80");
}

TEST(Mismatch, AnEmptyTensorOnOneRankIsAnError) {
  ExpectMismatch([](auto& c) { Sum(c, 10); }, "allreduce/40", [](auto& c) { Sum(c, 0); }, "allreduce/0");
}

TEST(Mismatch, DifferentTypesOfOneSizeAreAnError) {
  ExpectMismatch([](auto& c) { Sum(c, 10); }, "Float", [](auto& c) { Sum(c, 10, torch::kInt); }, "Int");
}

TEST(Mismatch, ListsOfOneJointSizeThatAreCutElsewhereAreAnError) {
  const auto sum_of = [](Communicator& c, std::int64_t first) {
    std::vector<torch::Tensor> tensors = {torch::ones({first}), torch::ones({100'000 - first})};
    c.AllReduce(tensors);
  };
  ExpectMismatch([&](auto& c) { sum_of(c, 10); }, "of 2 tensors", [&](auto& c) { sum_of(c, 20); }, "digest");
}

TEST(Mismatch, DifferentOperationsAreAnError) {
  const auto broadcast = [](auto& c) {
    torch::Tensor t = torch::ones({10});
    c.Broadcast(t);
  };
  ExpectMismatch([](auto& c) { Sum(c, 10); }, "allreduce/40", broadcast, "broadcast/40");
}

TEST(Mismatch, UnsupportedTypesAreRefusedByName) {
  const auto communicator = Communicator::Create(TestWorld(), "test");
  torch::Tensor half = torch::ones({3}, torch::kHalf);
  EXPECT_THROW(communicator->AllReduce(half), CommunicationError);
  torch::Tensor strided = torch::ones({4, 4}).slice(1, 0, 4, 2);
  EXPECT_THROW(communicator->AllReduce(strided), CommunicationError);
}

TEST(Mismatch, DenseTensorsAreSummedWhateverTheirOrderInMemory) {
  const auto communicator = Communicator::Create(TestWorld(), "test");
  const torch::Tensor rows = torch::arange(2 * 3 * 4 * 4, torch::kFloat).view({2, 3, 4, 4});
  torch::Tensor channels_last = rows.contiguous(torch::MemoryFormat::ChannelsLast);
  communicator->AllReduce(channels_last);
  EXPECT_TRUE(torch::equal(channels_last, rows * communicator->size()));
}

}  // namespace
}  // namespace gan::distributed
