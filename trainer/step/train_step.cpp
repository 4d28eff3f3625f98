#include "trainer/step/train_step.h"

#include <chrono>
#include <cmath>

#include "trainer/distributed/tensor_average.h"
#include "trainer/loss/objective.h"
#include "trainer/step/diversity.h"
#include "trainer/step/terms.h"

namespace gan::step {

namespace {

using Clock = std::chrono::steady_clock;

// Adds the time from its construction to its end to `seconds`, without what was spent inside collectives: that is told
// as synchronisation, and no second of a step is told twice.
class Stopwatch {
 public:
  Stopwatch(double& seconds, const distributed::Communicator& communicator)
      : seconds_(seconds), communicator_(communicator), waited_before_(communicator.traffic().wait_seconds) {}
  ~Stopwatch() {
    const double waited = communicator_.traffic().wait_seconds - waited_before_;
    seconds_ += std::chrono::duration<double>(Clock::now() - start_).count() - waited;
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& seconds_;
  const distributed::Communicator& communicator_;
  double waited_before_;
  Clock::time_point start_ = Clock::now();
};

// Puts tensors back as they were when its scope ends, unless told to forget.
class KeptStatistics {
 public:
  explicit KeptStatistics(const std::vector<torch::Tensor>& tensors) : tensors_(tensors) {
    for (const torch::Tensor& tensor : tensors) copies_.push_back(tensor.clone());
  }
  ~KeptStatistics() {
    if (copies_.empty()) return;
    torch::NoGradGuard no_grad;
    at::_foreach_copy_(tensors_, copies_);
  }
  KeptStatistics(const KeptStatistics&) = delete;
  KeptStatistics& operator=(const KeptStatistics&) = delete;
  void Forget() { copies_.clear(); }

 private:
  std::vector<torch::Tensor> tensors_;  // share storage with the module's
  std::vector<torch::Tensor> copies_;
};

void Append(torch::Tensor& all, const torch::Tensor& logits) {
  const torch::Tensor flat = logits.detach().flatten();
  all = all.defined() ? torch::cat({all, flat}) : flat;
}

// Applies the averaged gradient unless it is not finite, shortened to the longest that is allowed.
Update Apply(const distributed::SyncResult& synced, Adam& adam, double learning_rate, double clip_norm) {
  if (synced.finite) {
    const bool too_long = clip_norm > 0 && synced.gradient_norm > clip_norm;
    adam.Step(learning_rate, too_long ? synced.gradient_norm / clip_norm : 1);
  }
  return {.gradient_norm = synced.gradient_norm, .applied = synced.finite};
}

// What one look of D or one try of G costs: the backward of each micro-batch's share, synchronised with the last.
template <typename ShareOfLoss>
distributed::SyncResult AccumulatedBackward(distributed::GradientSync& sync, std::int64_t micro_batches,
                                            const ShareOfLoss& share_of_loss) {
  for (std::int64_t i = 0; i + 1 < micro_batches; ++i) sync.Accumulate(share_of_loss(i) / micro_batches);
  const torch::Tensor last = share_of_loss(micro_batches - 1);
  return sync.Backward(micro_batches == 1 ? last : last / micro_batches);
}

// Real batches and the fakes that D sees beside them, one a micro-batch. A single fake keeps its graph when G is to
// learn from it; of several, G makes each again, so that memory does not grow with their number.
struct Round {
  std::vector<Batch> batches;
  std::vector<torch::Tensor> fakes;
};

// `last`: of the step.
Round NextRound(Gan& gan, const StepPlan& plan, bool last, const BatchSource& next_batch, StepResult& result) {
  Round round;
  for (std::uint32_t i = 0; i < plan.micro_batches; ++i) {
    // Measured while the pictures are still in the cache: at the end of the step it would take thrice the time.
    const bool measured = last && i + 1 == plan.micro_batches;
    {
      Stopwatch watch(result.times.data, *gan.communicator);
      round.batches.push_back(next_batch());
      ++result.real_batches;
    }
    if (measured) result.real_distance = NearestNeighbourDistance(round.batches.back().real);
    {
      Stopwatch watch(result.times.generator, *gan.communicator);
      torch::AutoGradMode mode(last && plan.train_generator && plan.micro_batches == 1);
      round.fakes.push_back(Fakes(gan, round.batches.back().latents));
    }
    if (measured) result.fake_distance = NearestNeighbourDistance(round.fakes.back());
  }
  return round;
}

// D's whole loss: penalties, when there are any, in one sum with the rest.
torch::Tensor LookAtRealAndFake(Gan& gan, const StepPlan& plan, const Round& round, std::size_t i, StepResult& result) {
  const Batch& batch = round.batches[i];
  const torch::Tensor real = AsSeen(batch.real, plan, batch.cursor, AugmentKey::Use::kReal);
  const torch::Tensor fake =
      AsSeen(round.fakes[i].detach(), plan, batch.cursor, AugmentKey::Use::kFakeForDiscriminator);
  const torch::Tensor real_logits = Logits(gan, real);
  const torch::Tensor fake_logits = Logits(gan, fake);
  loss::DiscriminatorLoss losses = loss::Discriminator(plan.loss.kind, real_logits, fake_logits, plan.labels);
  if (plan.loss_factor != 1) losses = {losses.real * plan.loss_factor, losses.fake * plan.loss_factor};
  const double share = 1.0 / static_cast<double>(round.fakes.size());
  result.loss_d_real += losses.real.item<double>() * share;
  result.loss_d_fake += losses.fake.item<double>() * share;
  Append(result.real_logits, real_logits);
  Append(result.fake_logits, fake_logits);
  if (!torch::GradMode::is_enabled() || !HasPenalty(plan)) return losses.Total();
  const torch::Tensor penalty = Penalty(gan, plan, real, fake, batch.cursor);
  result.penalty += penalty.item<double>() * share;
  return losses.Total() + penalty;
}

void TrainDiscriminator(Gan& gan, const StepPlan& plan, const Round& round, StepResult& result) {
  Stopwatch watch(result.times.discriminator, *gan.communicator);
  gan.discriminator_adam.ClearGradients();
  result.ForgetDiscriminatorPhase();
  const auto synced = AccumulatedBackward(gan.discriminator_sync, plan.micro_batches, [&](std::size_t i) {
    return LookAtRealAndFake(gan, plan, round, i, result);
  });
  result.discriminator = Apply(synced, gan.discriminator_adam, plan.lr_d, gan.options.clip_norm);
}

// D's phase without an update: the balance still needs to see how it does.
void WatchDiscriminator(Gan& gan, const StepPlan& plan, const Round& round, StepResult& result) {
  Stopwatch watch(result.times.discriminator, *gan.communicator);
  torch::NoGradGuard no_grad;
  result.ForgetDiscriminatorPhase();
  for (std::size_t i = 0; i < round.fakes.size(); ++i) LookAtRealAndFake(gan, plan, round, i, result);
}

// The loss of G on the fakes that D has just learnt from.
torch::Tensor FoolDiscriminator(Gan& gan, const StepPlan& plan, const Round& round, std::size_t i, StepResult& result) {
  torch::Tensor fake = round.fakes[i];
  const Batch& batch = round.batches[i];
  if (torch::GradMode::is_enabled() && !fake.requires_grad()) fake = Fakes(gan, batch.latents);
  GeneratorTerms terms = FoolingTerms(gan, plan, batch, fake);
  if (plan.loss_factor != 1) terms.adversarial = terms.adversarial * plan.loss_factor;
  const double share = 1.0 / static_cast<double>(round.fakes.size());
  result.loss_g += terms.adversarial.item<double>() * share;
  if (!terms.matching.defined()) return terms.adversarial;
  result.matching += terms.matching.item<double>() * share;
  return terms.adversarial + terms.matching;
}

void TrainGenerator(Gan& gan, const StepPlan& plan, const Round& round, StepResult& result) {
  Stopwatch watch(result.times.generator, *gan.communicator);
  gan.generator_adam.ClearGradients();
  // Fakes that are made again have been counted in D's phase. (Backward needs the statistics as forward left them.)
  KeptStatistics counted_once(model::RunningStatistics(*gan.generator));
  if (plan.micro_batches == 1) counted_once.Forget();
  model::SetRequiresGrad(*gan.discriminator, false);  // D is frozen: gradients pass through it, none stay
  const auto synced = AccumulatedBackward(gan.generator_sync, plan.micro_batches, [&](std::size_t i) {
    return FoolDiscriminator(gan, plan, round, i, result);
  });
  model::SetRequiresGrad(*gan.discriminator, true);
  result.generator = Apply(synced, gan.generator_adam, plan.lr_g, gan.options.clip_norm);
}

void WatchGenerator(Gan& gan, const StepPlan& plan, const Round& round, StepResult& result) {
  Stopwatch watch(result.times.generator, *gan.communicator);
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < round.fakes.size(); ++i) FoolDiscriminator(gan, plan, round, i, result);
}

}  // namespace

StepResult TrainStep(Gan& gan, const StepPlan& plan, const BatchSource& next_batch) {
  StepResult result;
  const double waited_before = gan.communicator->traffic().wait_seconds;
  KeptStatistics before(gan.statistics);
  Round round;
  const std::uint32_t rounds = std::max(plan.discriminator_phases, 1U);
  for (std::uint32_t i = 0; i < rounds; ++i) {
    round = NextRound(gan, plan, i + 1 == rounds, next_batch, result);
    if (plan.discriminator_phases > 0) {
      TrainDiscriminator(gan, plan, round, result);
    } else {
      WatchDiscriminator(gan, plan, round, result);
    }
  }
  if (plan.train_generator) {
    TrainGenerator(gan, plan, round, result);
  } else {
    WatchGenerator(gan, plan, round, result);
  }
  // The running statistics moved on every rank by its own images; averaged in every step, or no resume could be exact.
  // One bad step must not leave NaN in them: they are never reset, and no later checkpoint could be saved.
  if (std::isfinite(distributed::AverageOverRanks(gan.statistics, *gan.communicator))) before.Forget();
  result.times.sync = gan.communicator->traffic().wait_seconds - waited_before;
  return result;
}

}  // namespace gan::step
