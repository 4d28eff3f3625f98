#include <gtest/gtest.h>
#include <torch/types.h>

#include <bit>
#include <thread>

#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/distributed/replicas.h"

namespace gan::distributed {
namespace {

std::shared_ptr<Communicator> New(const std::string& purpose, std::chrono::seconds timeout = std::chrono::minutes(1)) {
  return Communicator::Create(TestWorld(), purpose, "cpu", timeout);
}

TEST(Communicator, AllReduceSumsMaxesAndMins) {
  const auto communicator = New("test");
  const double rank = communicator->rank();
  const double size = communicator->size();
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kLong}) {
    const auto reduced = [&](ReduceOp op) {
      torch::Tensor t = torch::full({3}, rank + 1, torch::kDouble).to(type);
      communicator->AllReduce(t, op);
      return t[2].item<double>();
    };
    EXPECT_EQ(reduced(ReduceOp::kSum), size * (size + 1) / 2);
    EXPECT_EQ(reduced(ReduceOp::kMax), size);
    EXPECT_EQ(reduced(ReduceOp::kMin), 1);
  }
}

// Rank r has r + 1 times these tensors. They have several shapes and memory orders, and sizes below and above the one
// from which sums are made by halving.
std::vector<torch::Tensor> SeveralTensors(std::int64_t channels, double factor) {
  const torch::Tensor map =
      torch::arange(channels * 32 * 16, torch::kFloat).remainder_(1000).view({channels, 32, 4, 4});
  return {torch::full({3}, factor), map.contiguous(torch::MemoryFormat::ChannelsLast) * factor, torch::empty({0}),
          torch::arange(7, torch::kFloat) * factor};
}

TEST(Communicator, SeveralTensorsAreReducedInOneCollective) {
  for (const std::int64_t channels : {1, 65}) {
    const auto communicator = New("test");
    const double size = communicator->size(), sum = size * (size + 1) / 2;
    for (const auto& [op, factor] : {std::pair(ReduceOp::kSum, sum), std::pair(ReduceOp::kAverage, sum / size)}) {
      std::vector<torch::Tensor> tensors = SeveralTensors(channels, communicator->rank() + 1);
      communicator->AllReduce(tensors, op);
      const std::vector<torch::Tensor> expected = SeveralTensors(channels, factor);
      for (std::size_t i = 0; i < tensors.size(); ++i) EXPECT_TRUE(torch::equal(tensors[i], expected[i])) << i;
    }
    EXPECT_EQ(communicator->traffic().calls.at("allreduce/" + std::to_string(4 * (10 + channels * 512))), 2U);
    EXPECT_EQ(communicator->traffic().collectives, 2U);
  }
}

TEST(Communicator, WhereAllAreEmptyThereIsNothingToDo) {
  const auto communicator = New("test");
  torch::Tensor empty = torch::empty({0});
  EXPECT_NO_THROW(communicator->AllReduce(empty));
  EXPECT_NO_THROW(communicator->Broadcast(empty));
  EXPECT_NO_THROW(communicator->AllReduce({empty, torch::empty({0, 3})}, ReduceOp::kAverage));
}

TEST(Communicator, ParametersAreReducedAsTheyAre) {
  const auto communicator = New("test");
  for (const std::int64_t elements : {3, 100'000}) {
    const double mine = communicator->rank() + 1, mean = (communicator->size() + 1) / 2.0;
    std::vector<torch::Tensor> parameters = {torch::full({elements}, mine, torch::requires_grad()),
                                             torch::full({2}, mine, torch::requires_grad())};
    communicator->AllReduce(parameters, ReduceOp::kAverage);
    for (const torch::Tensor& parameter : parameters) {
      EXPECT_TRUE(torch::equal(parameter, torch::full_like(parameter, mean)));
      EXPECT_TRUE(parameter.is_leaf() && parameter.requires_grad());
    }
  }
}

TEST(Communicator, TensorsOfTwoTypesOrWithGapsAreRefused) {
  const auto communicator = New("test");
  std::vector<torch::Tensor> two_types = {torch::ones({2}), torch::ones({2}, torch::kDouble)};
  EXPECT_THROW(communicator->AllReduce(two_types), CommunicationError);
  std::vector<torch::Tensor> gaps = {torch::ones({4, 4}).narrow(1, 0, 2)};
  EXPECT_THROW(communicator->AllReduce(gaps), CommunicationError);
}

TEST(Communicator, LargeBuffersAreCutAndStillRight) {
  const auto communicator = New("test");
  torch::Tensor t = torch::arange((1 << 24) + 5, torch::kFloat).remainder_(1000);
  const torch::Tensor expected = t * communicator->size();
  communicator->AllReduce(t);
  EXPECT_TRUE(torch::equal(t, expected));
  // Two, four, eight ranks sum by halving, piece by piece.
  const bool halves = communicator->size() > 1 && std::has_single_bit(static_cast<unsigned>(communicator->size()));
  const auto calls = communicator->traffic().calls;
  EXPECT_EQ(calls.at(halves ? "allreduce/4194304" : "allreduce/67108864"), halves ? 16U : 1U);
  EXPECT_EQ(calls.at("allreduce/20"), 1U);
}

TEST(Communicator, BroadcastTakesTheRootsValues) {
  const auto communicator = New("test");
  const int root = communicator->size() - 1;
  torch::Tensor t = torch::full({5}, communicator->rank());
  communicator->Broadcast(t, root);
  EXPECT_TRUE(torch::equal(t, torch::full({5}, root)));
  EXPECT_EQ(communicator->Broadcast(communicator->rank() == 0 ? "from 0" : "", 0), "from 0");
}

TEST(Communicator, AllGatherKeepsRankOrderAndEmptyMessages) {
  const auto communicator = New("test");
  const std::string mine(static_cast<std::size_t>(communicator->rank()), 'x');  // rank 0 says nothing
  const std::vector<std::string> all = communicator->AllGather(mine);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(communicator->size()));
  for (std::size_t rank = 0; rank < all.size(); ++rank) EXPECT_EQ(all[rank], std::string(rank, 'x'));
}

TEST(Communicator, OneDissenterMeansNoAgreement) {
  const auto communicator = New("test");
  EXPECT_TRUE(communicator->AllAgree(true));
  EXPECT_FALSE(communicator->AllAgree(communicator->rank() != communicator->size() - 1));
}

TEST(Communicator, TwoOfThemWorkAtOnceFromTwoThreads) {
  const auto one = New("one");
  const auto other = New("other");
  const auto sum = [](Communicator& communicator) {
    torch::Tensor t = torch::ones({1000});
    for (int i = 0; i < 50; ++i) communicator.AllReduce(t), t.div_(communicator.size());
    return t.sum().item<double>();
  };
  double from_thread = 0;
  std::thread thread([&] { from_thread = sum(*other); });
  EXPECT_EQ(sum(*one), 1000);
  thread.join();
  EXPECT_EQ(from_thread, 1000);
}

TEST(Communicator, ARankThatStaysAwayIsAnErrorAfterTheTimeOut) {
  const auto communicator = New("lonely", std::chrono::seconds(1));
  const auto control = New("control");
  if (communicator->size() == 1) {
    EXPECT_NO_THROW(communicator->Barrier());  // a single rank waits for nobody
    return;
  }
  torch::Tensor t = torch::ones({7});  // outlives the operation that is given up half-done
  if (communicator->rank() != 0) {
    try {
      communicator->AllReduce(t);
      ADD_FAILURE() << "an all-reduce without rank 0 came back";
    } catch (const CommunicationError& error) {
      const std::string what = error.what();
      EXPECT_NE(what.find("rank " + std::to_string(communicator->rank())), std::string::npos) << what;
      EXPECT_NE(what.find("lonely, allreduce/28"), std::string::npos) << what;
    }
  }
  control->Barrier();
  // A rank that comes late finds the others gone, and a rank that gave up cannot continue as if nothing had happened.
  torch::Tensor late = torch::ones({7});
  EXPECT_THROW(communicator->AllReduce(late), CommunicationError);
  control->Barrier();
}

TEST(Replicas, ADriftedRankIsNamed) {
  const auto communicator = New("test");
  torch::Tensor weights = torch::ones({100});
  EXPECT_NO_THROW(RequireEqualReplicas({weights}, *communicator, "weights"));
  if (communicator->size() == 1) return;
  if (communicator->rank() == 1) weights[42] = 1.0000001F;
  try {
    RequireEqualReplicas({weights}, *communicator, "weights");
    ADD_FAILURE() << "a difference in one bit was not seen";
  } catch (const CommunicationError& error) {
    EXPECT_NE(std::string(error.what()).find("rank 1"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace gan::distributed
