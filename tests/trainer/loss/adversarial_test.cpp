// Each loss on numbers that can be checked by hand. tests/peers holds values and gradients against PyTorch.
#include "trainer/loss/adversarial.h"

#include <gtest/gtest.h>

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

// The range of a loss: a discriminator that is right with certainty is at the floor, one that gives every image the
// same output is at the ceiling, and better constants do not exist.
TEST(AdversarialLoss, RangeIsReachedAtBothEnds) {
  const torch::Tensor sure = torch::full({4, 1}, 40.0, torch::kDouble), same = torch::zeros({4, 1}, torch::kDouble);
  for (const AdversarialLoss* loss : kAdversarialLosses) {
    const Labels labels{.real = 1, .fake = 0};
    const LossRange range = loss->range(labels);
    if (range.floor == range.ceiling) continue;  // unbounded
    EXPECT_NEAR(loss->discriminator(sure, -sure, labels).Total().item<double>(), range.floor, 1e-9) << loss->name;
    EXPECT_NEAR(loss->discriminator(same, same, labels).Total().item<double>(), range.ceiling, 1e-9) << loss->name;
  }
}

}  // namespace

}  // namespace gan::loss
