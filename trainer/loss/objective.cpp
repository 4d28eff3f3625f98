#include "trainer/loss/objective.h"

#include <stdexcept>

#include "trainer/loss/hinge.h"
#include "trainer/loss/relativistic.h"
#include "trainer/loss/wasserstein.h"

namespace gan::loss {

DiscriminatorLoss Discriminator(Kind kind, const torch::Tensor& real_logits, const torch::Tensor& fake_logits,
                                const BceOptions& labels) {
  switch (kind) {
    case Kind::kBce:
      return BceDiscriminator(real_logits, fake_logits, labels);
    case Kind::kHinge:
      return HingeDiscriminator(real_logits, fake_logits);
    case Kind::kWganGp:
      return WassersteinCritic(real_logits, fake_logits);
    case Kind::kRpgan:
      return RelativisticDiscriminator(real_logits, fake_logits);
  }
  throw std::logic_error("a loss without a formula");
}

torch::Tensor Generator(Kind kind, const torch::Tensor& fake_logits, const torch::Tensor& real_logits) {
  switch (kind) {
    case Kind::kBce:
      return BceGenerator(fake_logits);
    case Kind::kHinge:
      return HingeGenerator(fake_logits);
    case Kind::kWganGp:
      return WassersteinGenerator(fake_logits);
    case Kind::kRpgan:
      return RelativisticGenerator(fake_logits, real_logits);
  }
  throw std::logic_error("a loss without a formula");
}

bool GeneratorNeedsReals(Kind kind) { return kind == Kind::kRpgan; }

LossRange DiscriminatorRange(Kind kind, const BceOptions& labels) {
  switch (kind) {
    case Kind::kBce:
      return BceDiscriminatorRange(labels);
    case Kind::kHinge:
      return HingeDiscriminatorRange();
    case Kind::kWganGp:
      return {};
    case Kind::kRpgan:
      return RelativisticDiscriminatorRange();
  }
  throw std::logic_error("a loss without a formula");
}

}  // namespace gan::loss
