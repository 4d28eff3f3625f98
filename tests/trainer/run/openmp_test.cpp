// Tests that no parallel region is smaller than LibTorch assumes.
#include "trainer/run/openmp.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cstdlib>
#include <string>

#include "storage/errors.h"

namespace gan::run {
namespace {

// Withholds threads from OpenMP, as OMP_MAX_ACTIVE_LEVELS=0 does for the process.
void WithholdThreads() { reinterpret_cast<void (*)(int)>(::dlsym(RTLD_DEFAULT, "omp_set_max_active_levels"))(0); }

torch::Tensor GradientOfConvolution(int threads) {
  torch::manual_seed(1);
  const torch::Tensor images = torch::randn({8, 16, 16, 16});
  const torch::Tensor weight = torch::randn({32, 16, 4, 4}, torch::requires_grad());
  torch::set_num_threads(threads);
  torch::conv2d(images, weight, {}, 2, 1).square().sum().backward();
  return weight.grad();
}

TEST(OpenMp, WholeRegionsGiveWholeGradients) {
  const torch::Tensor expected = GradientOfConvolution(1);
  WithholdThreads();
  AllowWholeRegions();
  EXPECT_TRUE(torch::allclose(GradientOfConvolution(2), expected, 1e-4, 1e-2));
}

TEST(OpenMp, ARegionThatIsTooSmallIsRefusedByTheVariablesName) {
  AllowWholeRegions();
  EXPECT_NO_THROW(RequireWholeRegions(2));
  ::setenv("OMP_MAX_ACTIVE_LEVELS", "0", 1);
  WithholdThreads();
  try {
    RequireWholeRegions(2);
    FAIL() << "nothing was thrown";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("OMP_MAX_ACTIVE_LEVELS=0"));
    EXPECT_THAT(error.what(), testing::HasSubstr("1 of the 2 requested threads"));
  }
  EXPECT_NO_THROW(RequireWholeRegions(1));
  AllowWholeRegions();
  EXPECT_NO_THROW(RequireWholeRegions(2));
}

// Alone, MKL computes with one thread where Open MPI says that it started one rank on the host, as it does to this
// test.
TEST(OpenMp, MklComputesWithAsManyThreadsAsLibTorch) {
  torch::set_num_threads(2);
  const std::string info = at::get_parallel_info();
  EXPECT_TRUE(!at::globalContext().hasMKL() || info.find("mkl_get_max_threads() : 2") != std::string::npos) << info;
}

TEST(OpenMp, WithoutALimitAllThreadsAreWithinIt) { EXPECT_EQ(WithinThreadLimit(7), 7); }

}  // namespace
}  // namespace gan::run
