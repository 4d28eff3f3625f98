#include "trainer/step/terms.h"

#include <vector>

#include "trainer/distributed/sync_batch_norm.h"
#include "trainer/loss/adversarial.h"
#include "trainer/loss/penalty.h"
#include "trainer/step/adam.h"
#include "trainer/step/augment.h"
#include "trainer/step/device_work.h"

namespace gan::step {

namespace {

bool HasZeroCentredPenalty(const StepPlan& plan) {
  return plan.zero_centred_penalties && (plan.loss.r1 > 0 || plan.loss.r2 > 0);
}

// The classes of pairs mixed as loss::InterpolatedPenalty mixes their images.
torch::Tensor MixedClasses(const torch::Tensor& mix, const torch::Tensor& real, const torch::Tensor& fake) {
  if (!real.defined()) return {};
  const torch::Tensor weight = mix.unsqueeze(1);
  return weight * real + (1 - weight) * fake;
}

bool PenalisesInterpolates(const StepPlan& plan) {
  return loss::LossOf(plan.loss.kind).penalises_interpolates && plan.loss.gradient_penalty > 0;
}

// The mean over the ranks must be differentiable, because it is part of the loss.
loss::MeanOverRanks MeanOverRanksOf(const Gan& gan) {
  if (gan.communicator->size() == 1) return [](const torch::Tensor& mine) { return mine; };
  return [&gan](const torch::Tensor& mine) {
    return distributed::AllReduceSum(mine, gan.communicator) / gan.communicator->size();
  };
}

// The features of real images are the target of the generator and need no gradient.
std::vector<torch::Tensor> FeaturesOfReals(Gan& gan, const Labelled& real) {
  torch::NoGradGuard no_grad;
  return OutputAndFeatures(gan, real.images, real.classes).features;
}

// The user's network needs no graph for the real images, which are constants.
torch::Tensor PerceptualTerm(const Gan& gan, const torch::Tensor& real, const torch::Tensor& fake) {
  std::vector<torch::Tensor> target;
  {
    torch::NoGradGuard no_grad;
    target = (*gan.extractor)(real);
  }
  return loss::MatchFeatures(target, (*gan.extractor)(fake), MeanOverRanksOf(gan));
}

}  // namespace

// One copy for all numbers. The members are views of it.
DeviceNumbers::DeviceNumbers(const StepNumbers& numbers, torch::Device device) {
  const torch::Tensor host = torch::empty({3}, torch::kDouble);
  auto* values = host.data_ptr<double>();
  values[0] = numbers.lr_d;
  values[1] = numbers.lr_g;
  values[2] = numbers.augment_probability;
  const torch::Tensor all = ToDevice(host, device);
  const torch::Tensor rates = all.to(LearningRateType(device));
  lr_d = rates[0];
  lr_g = rates[1];
  augment_probability = all[2];
}

void DeviceNumbers::CopyFrom(const DeviceNumbers& other) {
  lr_d.copy_(other.lr_d);
  lr_g.copy_(other.lr_g);
  augment_probability.copy_(other.augment_probability);
}

torch::Tensor AugmentAsPlanned(const torch::Tensor& images, const Planned& planned, const Draws& draws,
                               AugmentUse use) {
  if (!planned.plan.augment) return images;
  return Augment(images, draws.augment[static_cast<std::int64_t>(use)], planned.numbers.augment_probability);
}

bool HasPenalty(const StepPlan& plan) {
  const bool interpolated = PenalisesInterpolates(plan);
  return interpolated || HasZeroCentredPenalty(plan);
}

torch::Tensor Penalty(Gan& gan, const StepPlan& plan, const Labelled& real, const Labelled& fake,
                      const torch::Tensor& mix) {
  // Otherwise the gradient of one image's score would include the effect of the other images in its batch.
  const model::OnRunningStatistics each_sample_alone(*gan.discriminator);
  const auto critic_of = [&gan](const torch::Tensor& classes) {
    return [&gan, classes](const torch::Tensor& images) { return Logits(gan, images, classes); };
  };
  torch::Tensor sum = torch::zeros({}, gan.discriminator->parameters().front().options().requires_grad(false));
  if (PenalisesInterpolates(plan)) {
    const torch::Tensor share = mix.to(real.images.scalar_type());
    sum = sum + loss::InterpolatedPenalty(critic_of(MixedClasses(share, real.classes, fake.classes)), real.images,
                                          fake.images, share, plan.loss.gradient_penalty);
  }
  if (!HasZeroCentredPenalty(plan)) return sum;
  // Lazy regularisation: applied in every k-th step only, hence with k times the weight.
  const auto laziness = static_cast<double>(plan.loss.penalty_every);
  if (plan.loss.r1 > 0)
    sum = sum + loss::ZeroCentredPenalty(critic_of(real.classes), real.images, plan.loss.r1 * laziness);
  if (plan.loss.r2 > 0)
    sum = sum + loss::ZeroCentredPenalty(critic_of(fake.classes), fake.images, plan.loss.r2 * laziness);
  return sum;
}

GeneratorTerms GeneratorLossTerms(Gan& gan, const Planned& planned, const Batch& batch, const torch::Tensor& fake) {
  const StepPlan& plan = planned.plan;
  const torch::Tensor seen = AugmentAsPlanned(fake, planned, batch.draws, AugmentUse::kFakeForGenerator);
  const loss::AdversarialLoss& adversarial = loss::LossOf(plan.loss.kind);
  const bool needs_reals = adversarial.generator_needs_reals;
  GeneratorTerms terms;
  const auto augmented_reals = [&] {
    return Labelled{AugmentAsPlanned(batch.real, planned, batch.draws, AugmentUse::kReal), batch.real_classes};
  };
  // Feature matching needs D's layers anyway, so the logits come from the same forward.
  if (plan.loss.feature_matching > 0) {
    const Labelled real = augmented_reals();
    const std::vector<torch::Tensor> target = FeaturesOfReals(gan, real);
    const model::DiscriminatorOutput output = OutputAndFeatures(gan, seen, batch.fake_classes);
    terms.adversarial =
        adversarial.generator(output.logits, needs_reals ? Logits(gan, real.images, real.classes) : torch::Tensor());
    terms.matching = loss::MatchFeatures(target, output.features, MeanOverRanksOf(gan)) * plan.loss.feature_matching;
  } else {
    torch::Tensor real_logits;
    if (needs_reals) {
      const Labelled real = augmented_reals();
      real_logits = Logits(gan, real.images, real.classes);
    }
    terms.adversarial = adversarial.generator(Logits(gan, seen, batch.fake_classes), real_logits);
  }
  if (plan.loss.perceptual > 0 && gan.extractor) {
    // Without augmentation: the user's network is fixed and cannot learn anything by heart.
    const torch::Tensor term = PerceptualTerm(gan, batch.real, fake) * plan.loss.perceptual;
    terms.matching = terms.matching.defined() ? terms.matching + term : term;
  }
  return terms;
}

}  // namespace gan::step
