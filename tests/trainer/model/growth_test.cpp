// Growth: which tensor of the small network is which of the large one, compared with shapes and PyTorch's numbering.
#include "trainer/model/growth.h"

#include <gtest/gtest.h>

#include <map>

#include "storage/errors.h"
#include "trainer/model/networks.h"
#include "trainer/model/state.h"

namespace gan::model {
namespace {

using Source = std::optional<std::string> (*)(const std::string&, const NetworkOptions&, const NetworkOptions&);

NetworkOptions At(std::int64_t resolution, Norm norm = Norm::kBatch) {
  NetworkOptions options;
  options.resolution = resolution;
  options.features = 4;
  options.noise_dim = 8;
  options.d_norm = norm;
  return options;
}

std::map<std::string, std::vector<std::int64_t>> Shapes(const torch::nn::Sequential& network) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const auto& [name, tensor] : NamedState(*network, "")) shapes[name] = tensor.sizes().vec();
  return shapes;
}

// Tensors of the large network that come from the small one; each has the shape of its source.
std::size_t KeptTensors(const torch::nn::Sequential& small_network, const torch::nn::Sequential& large_network,
                        Source source, const NetworkOptions& small, const NetworkOptions& large) {
  const auto before = Shapes(small_network);
  std::size_t kept = 0;
  for (const auto& [name, shape] : Shapes(large_network)) {
    const auto from = source(name, small, large);
    if (!from) continue;
    ++kept;
    EXPECT_EQ(before.at(*from), shape) << name << " from " << *from;
  }
  return kept;
}

struct Growth {
  std::int64_t from, to;
  Norm norm;
  std::size_t kept_convolutions;
};

class EveryGrowth : public testing::TestWithParam<Growth> {};
INSTANTIATE_TEST_SUITE_P(Growth, EveryGrowth,
                         testing::Values(Growth{64, 128, Norm::kBatch, 4}, Growth{128, 256, Norm::kBatch, 5},
                                         Growth{64, 256, Norm::kBatch, 4}, Growth{64, 128, Norm::kLayer, 4},
                                         Growth{64, 128, Norm::kNone, 4}));

TEST_P(EveryGrowth, KeepsAllButTheRgbLayers) {
  const NetworkOptions small = At(GetParam().from, GetParam().norm);
  const NetworkOptions large = At(GetParam().to, GetParam().norm);
  // A batch norm has five tensors, a layer norm two.
  const std::size_t convolutions = GetParam().kept_convolutions;
  const std::size_t of_norm = GetParam().norm == Norm::kBatch ? 5 : (GetParam().norm == Norm::kLayer ? 2 : 0);
  EXPECT_EQ(KeptTensors(MakeGenerator(small), MakeGenerator(large), GeneratorSource, small, large), convolutions * 6);
  EXPECT_EQ(KeptTensors(MakeDiscriminator(small), MakeDiscriminator(large), DiscriminatorSource, small, large),
            convolutions * (1 + of_norm) + 1);  // and the last convolution
}

TEST(Growth, TheSeedsUpgradeByName) {
  EXPECT_EQ(GeneratorSource("9.weight", At(64), At(128)), "9.weight");
  EXPECT_EQ(GeneratorSource("12.weight", At(64), At(128)), std::nullopt);   // 2f->3 there, 2f->f here
  EXPECT_EQ(DiscriminatorSource("5.weight", At(64), At(128)), "2.weight");  // 2f->4f
  EXPECT_EQ(DiscriminatorSource("2.weight", At(64), At(128)), std::nullopt);
  EXPECT_EQ(DiscriminatorSource("0.weight", At(64), At(128)), std::nullopt);
}

TEST(Growth, EqualResolutionsKeepEverything) { EXPECT_EQ(GeneratorSource("12.weight", At(64), At(64)), "12.weight"); }

TEST(Growth, ALowerResolutionIsRefused) { EXPECT_THROW(RequireGrowable(At(128), At(64)), UsageError); }

TEST(Growth, OtherWidthsAreRefused) {
  NetworkOptions wider = At(128);
  wider.features = 8;
  EXPECT_THROW(RequireGrowable(At(64), wider), UsageError);
}

}  // namespace
}  // namespace gan::model
