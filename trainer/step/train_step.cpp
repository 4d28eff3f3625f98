#include "trainer/step/train_step.h"

#include <algorithm>
#include <utility>

#include "trainer/distributed/tensor_average.h"
#include "trainer/loss/adversarial.h"
#include "trainer/step/diversity.h"
#include "trainer/step/queue_step.h"
#include "trainer/step/statistics.h"

namespace gan::step {

namespace {

bool WatchesClasses(const Batch& batch) {
  return batch.real_classes.defined() && batch.real_classes.size(1) <= static_cast<std::int64_t>(kMostWatchedClasses);
}

// Real batches and the generated images that D processes with them, one of each per micro-batch. A single generated
// batch keeps its graph if G learns from it. With several micro-batches G generates each of them again, so that memory
// does not grow with their number.
struct Round {
  std::vector<Batch> batches;
  std::vector<torch::Tensor> fakes;
};

// The state of one training step.
class Step {
 public:
  Step(Gan& gan, const Planned& planned, const BatchSource& next_batch, PhaseClock* clock)
      : gan_(gan),
        planned_(planned),
        plan_(planned.plan),
        next_batch_(next_batch),
        clock_(clock),
        of_generator_(model::RunningStatistics(*gan.generator), plan_.micro_batches),
        of_discriminator_(model::RunningStatistics(*gan.discriminator), plan_.micro_batches) {}
  StatisticsRow Queue();

 private:
  PhaseClock::Lap Measure(double StepTimes::*phase) const { return {clock_, phase}; }
  Round NextRound(bool last);
  torch::Tensor DiscriminatorLossOn(const Round& round, std::size_t i);
  void EvaluateUnaugmented(const Round& round);
  void TrainDiscriminator(const Round& round);
  void EvaluateDiscriminator(const Round& round);
  torch::Tensor GeneratorLossOn(const Round& round, std::size_t i);
  void TrainGenerator(const Round& round);
  void EvaluateGenerator(const Round& round);
  template <typename ShareOfLoss>
  torch::Tensor AccumulatedBackward(distributed::GradientSync& sync, const ShareOfLoss& share_of_loss);

  Gan& gan_;
  const Planned planned_;
  const StepPlan& plan_;
  const BatchSource& next_batch_;
  PhaseClock* const clock_;
  StatisticsPerMicroBatch of_generator_, of_discriminator_;
  DeviceStatistics on_device_;
};

// `last`: whether it is the last round of the step.
Round Step::NextRound(bool last) {
  Round round;
  for (std::uint32_t i = 0; i < plan_.micro_batches; ++i) {
    {
      const PhaseClock::Lap lap = Measure(&StepTimes::data);
      round.batches.push_back(next_batch_());
    }
    {
      const PhaseClock::Lap lap = Measure(&StepTimes::generator);
      // G's graph is needed only if G learns from exactly these images.
      torch::AutoGradMode mode(last && plan_.train_generator && plan_.micro_batches == 1);
      of_generator_.WithCopy(i, [&] {
        const Batch& batch = round.batches.back();
        round.fakes.push_back(Fakes(gan_, batch.latents, batch.fake_classes));
      });
    }
  }
  if (last) {
    // Measured here because on a CPU the images are still in the cache, and on a GPU G's forward hides the launch of
    // these short kernels.
    on_device_.real_distance = NearestNeighbourDistance(round.batches.back().real);
    on_device_.fake_distance = NearestNeighbourDistance(round.fakes.back());
    const Batch& batch = round.batches.back();
    if (WatchesClasses(batch)) {
      on_device_.real_class_distances = DistancesWithinClasses(batch.real, batch.real_classes);
      on_device_.fake_class_distances = DistancesWithinClasses(round.fakes.back(), batch.fake_classes);
    }
  }
  return round;
}

// Runs the backward of each micro-batch's share of the loss; the last one also synchronises the gradients. Returns the
// norm of the averaged gradient.
template <typename ShareOfLoss>
torch::Tensor Step::AccumulatedBackward(distributed::GradientSync& sync, const ShareOfLoss& share_of_loss) {
  const auto micro_batches = static_cast<std::int64_t>(plan_.micro_batches);
  const std::size_t last = plan_.micro_batches - 1;
  // All micro-batches but the last only accumulate gradients on this rank.
  for (std::size_t i = 0; i < last; ++i) {
    of_discriminator_.WithCopy(i, [&] { sync.Accumulate(share_of_loss(i) / micro_batches); });
  }
  torch::Tensor norm;
  of_discriminator_.WithCopy(last, [&] {
    const torch::Tensor loss = share_of_loss(last);
    norm = sync.Backward(micro_batches == 1 ? loss : loss / micro_batches).norm;
  });
  return norm;
}

// D's complete loss. Penalties are added before the backward, because one update has one backward per micro-batch.
// Real and generated images go through D in separate forwards, because batch norm would otherwise mix their statistics.
torch::Tensor Step::DiscriminatorLossOn(const Round& round, std::size_t i) {
  const Batch& batch = round.batches[i];
  const Labelled real = {AugmentAsPlanned(batch.real, planned_, batch.draws, AugmentUse::kReal), batch.real_classes};
  // Detached: D's loss must not change G.
  const Labelled fake = {
      AugmentAsPlanned(round.fakes[i].detach(), planned_, batch.draws, AugmentUse::kFakeForDiscriminator),
      batch.fake_classes};
  const LogitsOfBoth logits = Logits(gan_, real, fake);
  loss::DiscriminatorLoss losses = loss::LossOf(plan_.loss.kind).discriminator(logits.real, logits.fake, plan_.labels);
  if (plan_.loss_factor != 1) losses = {losses.real * plan_.loss_factor, losses.fake * plan_.loss_factor};
  const double share = 1.0 / static_cast<double>(round.fakes.size());
  Add(on_device_.loss_d_real, losses.real, share);
  Add(on_device_.loss_d_fake, losses.fake, share);
  Append(on_device_.real_logits, logits.real);
  Append(on_device_.fake_logits, logits.fake);
  if (WatchesClasses(batch)) {
    Append(on_device_.real_classes, real.classes.argmax(1).to(torch::kDouble));
    Append(on_device_.fake_classes, fake.classes.argmax(1).to(torch::kDouble));
  }
  // Without gradients there is nothing to penalise.
  if (!torch::GradMode::is_enabled() || !HasPenalty(plan_)) return losses.Total();
  const torch::Tensor penalty = Penalty(gan_, plan_, real, fake, batch.draws.mix);
  Add(on_device_.penalty, penalty, share);
  return losses.Total() + penalty;
}

// Computes D's logits on images without augmentation, so that augmentation does not change D's AUC. The running
// statistics are restored, so training does not depend on how often this is done.
void Step::EvaluateUnaugmented(const Round& round) {
  const PhaseClock::Lap lap = Measure(&StepTimes::discriminator);
  torch::NoGradGuard no_grad;
  SavedStatistics untouched(model::RunningStatistics(*gan_.discriminator));
  for (std::size_t i = 0; i < round.fakes.size(); ++i) {
    const Batch& batch = round.batches[i];
    const LogitsOfBoth logits =
        Logits(gan_, {batch.real, batch.real_classes}, {round.fakes[i].detach(), batch.fake_classes});
    Append(on_device_.unaugmented_real_logits, logits.real);
    Append(on_device_.unaugmented_fake_logits, logits.fake);
  }
  untouched.Restore();
}

void Step::TrainDiscriminator(const Round& round) {
  const PhaseClock::Lap lap = Measure(&StepTimes::discriminator);
  gan_.discriminator_optimizer.ClearGradients();
  // With several phases per step, the numbers of the last one are reported.
  on_device_.ClearDiscriminatorPhase();
  on_device_.discriminator_norm =
      AccumulatedBackward(gan_.discriminator_sync, [&](std::size_t i) { return DiscriminatorLossOn(round, i); });
  gan_.discriminator_optimizer.LimitBeta1(plan_.max_beta1);
  gan_.discriminator_optimizer.Step(planned_.numbers.lr_d, on_device_.discriminator_norm, gan_.options.clip_norm);
}

// D's phase without an update, because the balance still needs D's outputs.
void Step::EvaluateDiscriminator(const Round& round) {
  const PhaseClock::Lap lap = Measure(&StepTimes::discriminator);
  torch::NoGradGuard no_grad;
  on_device_.ClearDiscriminatorPhase();
  for (std::size_t i = 0; i < round.fakes.size(); ++i) {
    of_discriminator_.WithCopy(i, [&] { DiscriminatorLossOn(round, i); });
  }
}

// G's loss on the same generated images that D has just been trained with.
torch::Tensor Step::GeneratorLossOn(const Round& round, std::size_t i) {
  torch::Tensor fake = round.fakes[i];
  const Batch& batch = round.batches[i];
  // Several micro-batches kept no graph; the same latents give the same images again.
  if (torch::GradMode::is_enabled() && !fake.requires_grad()) fake = Fakes(gan_, batch.latents, batch.fake_classes);
  GeneratorTerms terms = GeneratorLossTerms(gan_, planned_, batch, fake);
  if (plan_.loss_factor != 1) terms.adversarial = terms.adversarial * plan_.loss_factor;
  const double share = 1.0 / static_cast<double>(round.fakes.size());
  Add(on_device_.loss_g, terms.adversarial, share);
  if (!terms.matching.defined()) return terms.adversarial;
  Add(on_device_.matching, terms.matching, share);
  return terms.adversarial + terms.matching;
}

void Step::TrainGenerator(const Round& round) {
  const PhaseClock::Lap lap = Measure(&StepTimes::generator);
  gan_.generator_optimizer.ClearGradients();
  // Generating images again also updates G's running statistics a second time; of_generator_ discards this update.
  model::SetRequiresGrad(*gan_.discriminator,
                         false);  // D is frozen: gradients flow through it, but its parameters get none
  on_device_.generator_norm =
      AccumulatedBackward(gan_.generator_sync, [&](std::size_t i) { return GeneratorLossOn(round, i); });
  model::SetRequiresGrad(*gan_.discriminator, true);
  gan_.generator_optimizer.LimitBeta1(plan_.max_beta1);
  gan_.generator_optimizer.Step(planned_.numbers.lr_g, on_device_.generator_norm, gan_.options.clip_norm);
}

void Step::EvaluateGenerator(const Round& round) {
  const PhaseClock::Lap lap = Measure(&StepTimes::generator);
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < round.fakes.size(); ++i) {
    of_discriminator_.WithCopy(i, [&] { GeneratorLossOn(round, i); });
  }
}

// The order within a step: all rounds of D, then G on the images of the last round, then the statistics of both.
StatisticsRow Step::Queue() {
  SavedStatistics before(gan_.statistics);
  Round round;
  const std::uint32_t rounds = std::max(plan_.discriminator_phases, 1U);
  for (std::uint32_t i = 0; i < rounds; ++i) {
    // Each update of D gets new images, as in algorithm 1 of Goodfellow et al. (2014).
    round = NextRound(i + 1 == rounds);
    if (plan_.evaluate_unaugmented && i + 1 == rounds) EvaluateUnaugmented(round);
    if (plan_.discriminator_phases > 0) {
      TrainDiscriminator(round);
    } else {
      EvaluateDiscriminator(round);
    }
  }
  if (plan_.train_generator) {
    TrainGenerator(round);
  } else {
    EvaluateGenerator(round);
  }
  of_generator_.Average();
  of_discriminator_.Average();
  // Each rank has updated the running statistics with its own images. They are averaged in every step, because
  // otherwise a resumed run could not be exact.
  const torch::Tensor norm = distributed::AverageOverRanks(gan_.statistics, *gan_.communicator);
  // One step that is not finite must not leave NaN in the statistics, which are never reset: no later checkpoint could
  // be saved.
  before.RestoreUnless(norm.isfinite());
  return on_device_.Joined();
}

}  // namespace

std::uint32_t BatchCount(const StepPlan& plan) { return std::max(plan.discriminator_phases, 1U) * plan.micro_batches; }

StatisticsRow QueueStep(Gan& gan, const Planned& planned, const BatchSource& next_batch, PhaseClock* clock) {
  return Step(gan, planned, next_batch, clock).Queue();
}

StepResult TrainStep(Gan& gan, const StepPlan& plan, const StepNumbers& numbers, const BatchSource& next_batch) {
  PhaseClock clock(gan.device, *gan.communicator);
  const DeviceNumbers on_device(numbers, gan.device);
  const StatisticsRow row = QueueStep(gan, {plan, on_device}, next_batch, &clock);
  StepResult result;
  // The only wait for a GPU. Afterwards its events have been reached, which the clock needs.
  row.ReadInto(result, row.values.to(torch::kCPU));
  clock.ReadInto(result.times);
  result.real_batches = BatchCount(plan);
  return result;
}

}  // namespace gan::step
