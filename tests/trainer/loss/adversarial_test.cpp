// Each loss on numbers that can be checked by hand. tests/peers compares values and gradients with PyTorch's.
#include "trainer/loss/adversarial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace gan::loss {

namespace {

const torch::Tensor kReal = torch::tensor({{2.0}, {-1.0}}, torch::kDouble);
const torch::Tensor kFake = torch::tensor({{0.5}, {-3.0}}, torch::kDouble);

double Softplus(double x) { return std::log1p(std::exp(x)); }
// Cross entropy of the label under sigmoid(logit).
double CrossEntropy(double logit, double label) { return label * Softplus(-logit) + (1 - label) * Softplus(logit); }

struct Values {
  double real, fake, generator;
};

Values ValuesOf(Kind kind) {
  const AdversarialLoss& loss = LossOf(kind);
  const DiscriminatorLoss d = loss.discriminator(kReal, kFake, {});
  const torch::Tensor g = loss.generator(kFake, loss.generator_needs_reals ? kReal : torch::Tensor());
  return {d.real.item<double>(), d.fake.item<double>(), g.item<double>()};
}

void ExpectNear(const Values& values, const Values& expected) {
  EXPECT_NEAR(values.real, expected.real, 1e-12);
  EXPECT_NEAR(values.fake, expected.fake, 1e-12);
  EXPECT_NEAR(values.generator, expected.generator, 1e-12);
}

TEST(AdversarialLoss, BceSmoothsTheDiscriminatorsLabelsAlone) {
  ExpectNear(ValuesOf(Kind::kBce),
             {(CrossEntropy(2, 0.9) + CrossEntropy(-1, 0.9)) / 2, (CrossEntropy(0.5, 0.1) + CrossEntropy(-3, 0.1)) / 2,
              (Softplus(-0.5) + Softplus(3)) / 2});
}

TEST(AdversarialLoss, HingeIsZeroBehindTheMargin) {
  ExpectNear(ValuesOf(Kind::kHinge), {(0.0 + 2.0) / 2, (1.5 + 0.0) / 2, (-0.5 + 3.0) / 2});
}

TEST(AdversarialLoss, WassersteinIsTheDifferenceOfTheScores) {
  ExpectNear(ValuesOf(Kind::kWganGp), {-0.5, -1.25, 1.25});
}

TEST(AdversarialLoss, RelativisticLooksAtPairs) {
  const double d = (Softplus(0.5 - 2) + Softplus(-3 + 1)) / 2;
  ExpectNear(ValuesOf(Kind::kRpgan), {d / 2, d / 2, (Softplus(2 - 0.5) + Softplus(-1 + 3)) / 2});
}

TEST(AdversarialLoss, EveryKindHasOneRowAndOneName) {
  std::set<Kind> kinds;
  std::set<std::string_view> names;
  for (const AdversarialLoss* loss : kAdversarialLosses) {
    EXPECT_TRUE(kinds.insert(loss->kind).second) << loss->name;
    EXPECT_TRUE(names.insert(loss->name).second) << loss->name;
    EXPECT_EQ(&LossOf(loss->kind), loss);
  }
}

// Over all pairs of constant outputs, the lowest loss is the floor; over all outputs that are the same for real and
// generated images, the lowest one is the ceiling.
TEST(AdversarialLoss, RangeIsWhatTheBestOutputsReach) {
  const torch::Tensor outputs = torch::arange(-40, 40.5, 0.5, torch::kDouble);
  const Labels labels{.real = 1, .fake = 0};
  const auto total = [&](const AdversarialLoss& loss, std::int64_t real, std::int64_t fake) {
    const auto constant = [&](std::int64_t i) { return outputs[i].expand({1, 1}); };
    return loss.discriminator(constant(real), constant(fake), labels).Total().item<double>();
  };
  for (const AdversarialLoss* loss : kAdversarialLosses) {
    const LossRange range = loss->range(labels);
    if (range.floor == range.ceiling) continue;  // unbounded
    double floor = 1e9, ceiling = 1e9;
    for (std::int64_t i = 0; i < outputs.numel(); ++i) {
      ceiling = std::min(ceiling, total(*loss, i, i));
      for (std::int64_t k = 0; k < outputs.numel(); k += 4) floor = std::min(floor, total(*loss, i, k));
    }
    EXPECT_NEAR(floor, range.floor, 1e-9) << loss->name;
    EXPECT_NEAR(ceiling, range.ceiling, 1e-9) << loss->name;
  }
}

}  // namespace

}  // namespace gan::loss
