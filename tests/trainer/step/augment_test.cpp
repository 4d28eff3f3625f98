#include "trainer/step/augment.h"

#include <gtest/gtest.h>

#include "tests/trainer/step/tiny_gan.h"
#include "trainer/distributed/replicas.h"
#include "trainer/step/ada.h"

namespace gan::step {
namespace {

constexpr std::uint64_t kSeedOfDraws = 3, kFirstImage = 10;

torch::Tensor AugmentDraws(std::int64_t count, std::uint64_t first_image = kFirstImage,
                           AugmentUse use = AugmentUse::kReal) {
  return DrawsOf(kSeedOfDraws, first_image, count, torch::kCPU).augment[static_cast<std::int64_t>(use)];
}

torch::Tensor Augmented(const torch::Tensor& images, const torch::Tensor& draws, double probability) {
  return Augment(images, draws, torch::tensor(probability, torch::kDouble));
}

torch::Tensor Images(std::int64_t count) {
  torch::manual_seed(1);
  return torch::rand({count, 3, 64, 64}, torch::kDouble) * 2 - 1;
}

// An operation alone: every other gate's draw is out of reach of the probability.
torch::Tensor OnlyGate(std::int64_t gate, std::int64_t count) {
  torch::Tensor draws = AugmentDraws(count);
  draws.narrow(1, 0, 5).fill_(0.9);
  draws.select(1, gate).fill_(0.1);
  return draws;
}

TEST(Augment, ProbabilityZeroChangesNothing) {
  const torch::Tensor images = Images(4);
  EXPECT_TRUE(torch::allclose(Augmented(images, AugmentDraws(4), 0), images, 0, 1e-12));
}

TEST(Augment, AnImagesDrawsFollowItsNumberWhateverTheBatch) {
  const torch::Tensor all = AugmentDraws(6);
  EXPECT_TRUE(torch::equal(all.narrow(0, 4, 2), AugmentDraws(2, kFirstImage + 4)));
  EXPECT_FALSE(torch::equal(all, AugmentDraws(6, kFirstImage, AugmentUse::kFakeForGenerator)));
}

TEST(Augment, BrightnessMovesEveryPixelBySameAmount) {
  const torch::Tensor draws = OnlyGate(0, 2);
  const torch::Tensor moved = Augmented(Images(2), draws, 0.5) - Images(2);
  const torch::Tensor expected = (draws.select(1, 5) - 0.5).view({-1, 1, 1, 1}).expand_as(moved);
  EXPECT_TRUE(torch::allclose(moved, expected));
}

TEST(Augment, SaturationKeepsTheGrey) {
  const torch::Tensor result = Augmented(Images(2), OnlyGate(1, 2), 0.5);
  EXPECT_TRUE(torch::allclose(result.mean(1), Images(2).mean(1)));
  EXPECT_FALSE(torch::allclose(result, Images(2)));
}

TEST(Augment, ContrastKeepsTheMean) {
  const torch::Tensor result = Augmented(Images(2), OnlyGate(2, 2), 0.5);
  EXPECT_TRUE(torch::allclose(result.mean({1, 2, 3}), Images(2).mean({1, 2, 3})));
  EXPECT_FALSE(torch::allclose(result, Images(2)));
}

TEST(Augment, TranslationMovesByWholePixelsAndFillsWithZero) {
  torch::Tensor draws = OnlyGate(3, 1);
  draws.select(1, 8).fill_(0.999);  // 8 rows: an eighth of 64
  draws.select(1, 9).fill_(0.0);    // -8 columns
  const torch::Tensor images = Images(1);
  const torch::Tensor result = Augmented(images, draws, 0.5);
  using torch::indexing::None;
  using torch::indexing::Slice;
  EXPECT_TRUE(torch::allclose(result.index({0, Slice(), Slice(0, 56), Slice(8, None)}),
                              images.index({0, Slice(), Slice(8, None), Slice(0, 56)})));
  EXPECT_EQ(result.index({0, Slice(), Slice(56, None)}).abs().sum().item<double>(), 0);
}

TEST(Augment, CutoutRemovesASquareOfHalfTheSide) {
  torch::Tensor draws = OnlyGate(4, 1);
  draws.narrow(1, 10, 2).fill_(0.5);
  const torch::Tensor cut = Augmented(Images(1), draws, 0.5) == 0;
  EXPECT_EQ(cut.sum().item<std::int64_t>(), 3 * 32 * 32);
  EXPECT_TRUE(cut[0][0][16][16].item<bool>() && cut[0][0][47][47].item<bool>());
}

TEST(Augment, GradientPassesThrough) {
  const torch::Tensor draws = AugmentDraws(1);
  torch::Tensor images = Images(1).narrow(2, 0, 8).narrow(3, 0, 8).contiguous().requires_grad_(true);
  const torch::Tensor weights = torch::rand_like(images);
  (Augmented(images, draws, 1) * weights).sum().backward();
  torch::NoGradGuard no_grad;
  const torch::Tensor step = torch::zeros_like(images);
  step[0][1][4][4] = 1e-6;
  const double moved =
      ((Augmented(images + step, draws, 1) - Augmented(images - step, draws, 1)) * weights).sum().item<double>() / 2e-6;
  EXPECT_NEAR(images.grad()[0][1][4][4].item<double>(), moved, 1e-6);
}

TEST(Augment, AStepWithPenaltyAndAugmentationKeepsRanksEqual) {
  GanOptions options = TinyOptions();
  options.network.d_norm = model::Norm::kLayer;
  Gan gan = TinyGan(options);
  StepPlan plan;
  plan.augment = true;
  plan.loss.kind = loss::Kind::kRpgan;
  plan.loss.r1 = plan.loss.r2 = 1;
  plan.loss.feature_matching = 1;
  const int rank = distributed::TestWorld().rank;
  for (int i = 0; i < 3; ++i) {
    const StepResult result = TrainStep(gan, plan, {}, [&] { return BatchOf(10 * i + rank); });
    EXPECT_TRUE(result.discriminator->applied && result.generator->applied);
    EXPECT_GT(result.penalty, 0);
    EXPECT_GT(result.matching, 0);
  }
  std::vector<torch::Tensor> tensors;
  for (auto& [name, tensor] : gan.NamedState()) tensors.push_back(tensor);
  EXPECT_NO_THROW(distributed::RequireEqualReplicas(tensors, *gan.communicator, "state"));
}

TEST(Ada, RisesWhileDIsSureOfTheReals) {
  AdaController ada;
  for (int i = 0; i < 3; ++i) ada.Observe(0.9, 1000);
  EXPECT_EQ(ada.probability(), 0);  // decided every fourth step
  ada.Observe(0.9, 1000);
  EXPECT_DOUBLE_EQ(ada.probability(), 4000.0 / 500'000);
  for (int i = 0; i < 4; ++i) ada.Observe(0.1, 500);
  EXPECT_DOUBLE_EQ(ada.probability(), 2000.0 / 500'000);
}

TEST(Ada, StaysBetweenZeroAndOne) {
  AdaController ada;
  for (int i = 0; i < 8; ++i) ada.Observe(0.0, 1000);
  EXPECT_EQ(ada.probability(), 0);
  for (int i = 0; i < 8; ++i) ada.Observe(1.0, 1'000'000);
  EXPECT_EQ(ada.probability(), 1);
}

TEST(Ada, ContinuesFromItsState) {
  AdaController a, b;
  for (int i = 0; i < 6; ++i) a.Observe(0.9, 1000);
  b.Restore(a.Save());
  for (int i = 0; i < 5; ++i) {
    a.Observe(0.8, 1000);
    b.Observe(0.8, 1000);
  }
  EXPECT_EQ(a.probability(), b.probability());
  EXPECT_GT(b.probability(), 0.01);
}

TEST(Augment, JudgingWithoutItSeesTheImagesAsTheyAreAndChangesNothing) {
  const BatchSource source = [] { return BatchOf(1); };
  StepPlan plain, augmented, judging;
  augmented.augment = judging.augment = true;
  judging.evaluate_unaugmented = true;
  Gan a = TinyGan(), b = TinyGan(), c = TinyGan();
  const StepResult as_they_are = TrainStep(a, plain, {}, source);
  const StepResult not_judged = TrainStep(b, augmented, {}, source);
  const StepResult judged = TrainStep(c, judging, {}, source);
  EXPECT_FALSE(not_judged.unaugmented_real_logits.defined());
  EXPECT_TRUE(torch::equal(judged.unaugmented_real_logits, as_they_are.real_logits));
  EXPECT_TRUE(torch::equal(judged.unaugmented_fake_logits, as_they_are.fake_logits));
  EXPECT_FALSE(torch::equal(judged.real_logits, as_they_are.real_logits));
  const auto left = b.NamedState(), right = c.NamedState();
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i].first.ends_with("num_batches_tracked")) continue;  // counts forwards; nothing reads it
    EXPECT_TRUE(torch::equal(left[i].second, right[i].second)) << left[i].first;
  }
}

}  // namespace
}  // namespace gan::step
