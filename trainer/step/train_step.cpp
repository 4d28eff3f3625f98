#include "trainer/step/train_step.h"

#include <chrono>

namespace gan::step {

namespace {

using Clock = std::chrono::steady_clock;

// Adds the time from its construction to its end to `seconds`.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() { seconds_ += std::chrono::duration<double>(Clock::now() - start_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& seconds_;
  Clock::time_point start_ = Clock::now();
};

model::NamedTensors Joined(std::initializer_list<model::NamedTensors> lists) {
  model::NamedTensors all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::vector<torch::Tensor> AllStatistics(torch::nn::Sequential& generator, torch::nn::Sequential& discriminator) {
  std::vector<torch::Tensor> statistics = model::RunningStatistics(*generator);
  for (torch::Tensor& tensor : model::RunningStatistics(*discriminator)) statistics.push_back(tensor);
  return statistics;
}

// One bad step must not leave NaN in statistics that are never reset: no later checkpoint could be saved.
std::vector<torch::Tensor> Copies(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> copies;
  for (const torch::Tensor& tensor : tensors) copies.push_back(tensor.clone());
  return copies;
}

void Restore(std::vector<torch::Tensor>& tensors, const std::vector<torch::Tensor>& copies) {
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].copy_(copies[i]);
}

torch::nn::Sequential OnDevice(torch::nn::Sequential module, torch::Device device) {
  module->to(device);
  return module;
}

// Averages the gradient over the ranks and applies it, unless it is not finite on any of them.
Update SynchroniseAndApply(distributed::GradientSync& sync, Adam& adam, double learning_rate, StepTimes& times) {
  distributed::SyncResult synced;
  {
    Stopwatch watch(times.sync);
    synced = sync.Synchronise();
  }
  if (synced.finite) adam.Step(learning_rate);
  return {.gradient_norm = synced.gradient_norm, .applied = synced.finite};
}

void RecordDiscriminatorLoss(const loss::DiscriminatorLoss& losses, const torch::Tensor& real_logits,
                             const torch::Tensor& fake_logits, StepResult& result) {
  result.loss_d_real = losses.real.item<double>();
  result.loss_d_fake = losses.fake.item<double>();
  result.real_logits = real_logits.detach().flatten();
  result.fake_logits = fake_logits.detach().flatten();
}

void TrainDiscriminator(Gan& gan, const StepPlan& plan, const torch::Tensor& real, const torch::Tensor& fake,
                        StepResult& result) {
  Stopwatch watch(result.times.discriminator);
  gan.discriminator_adam.ClearGradients();
  const torch::Tensor real_logits = model::Discriminate(gan.discriminator, real);
  const torch::Tensor fake_logits = model::Discriminate(gan.discriminator, fake.detach());
  const loss::DiscriminatorLoss losses = loss::BceDiscriminator(real_logits, fake_logits, plan.labels);
  losses.Total().backward();
  RecordDiscriminatorLoss(losses, real_logits, fake_logits, result);
  result.discriminator = SynchroniseAndApply(gan.discriminator_sync, gan.discriminator_adam, plan.lr_d, result.times);
}

// D's phase without an update: the balance still needs to see how it does.
void WatchDiscriminator(Gan& gan, const StepPlan& plan, const torch::Tensor& real, const torch::Tensor& fake,
                        StepResult& result) {
  Stopwatch watch(result.times.discriminator);
  torch::NoGradGuard no_grad;
  const torch::Tensor real_logits = model::Discriminate(gan.discriminator, real);
  const torch::Tensor fake_logits = model::Discriminate(gan.discriminator, fake);
  RecordDiscriminatorLoss(loss::BceDiscriminator(real_logits, fake_logits, plan.labels), real_logits, fake_logits,
                          result);
}

void TrainGenerator(Gan& gan, const StepPlan& plan, const torch::Tensor& fake, StepResult& result) {
  Stopwatch watch(result.times.generator);
  gan.generator_adam.ClearGradients();
  model::SetRequiresGrad(*gan.discriminator, false);  // D is frozen: gradients pass through it, none stay
  const torch::Tensor loss = loss::BceGenerator(model::Discriminate(gan.discriminator, fake));
  loss.backward();
  model::SetRequiresGrad(*gan.discriminator, true);
  result.loss_g = loss.item<double>();
  result.generator = SynchroniseAndApply(gan.generator_sync, gan.generator_adam, plan.lr_g, result.times);
}

void WatchGenerator(Gan& gan, const torch::Tensor& fake, StepResult& result) {
  Stopwatch watch(result.times.generator);
  torch::NoGradGuard no_grad;
  result.loss_g = loss::BceGenerator(model::Discriminate(gan.discriminator, fake)).item<double>();
}

// A real batch and the fakes that D sees beside it. The fakes keep their graph when G is to learn from them.
struct Round {
  torch::Tensor real;
  torch::Tensor fake;
};

Round NextRound(Gan& gan, bool keep_graph, const BatchSource& next_batch, StepResult& result) {
  Batch batch;
  {
    Stopwatch watch(result.times.data);
    batch = next_batch();
    ++result.real_batches;
  }
  Stopwatch watch(result.times.generator);
  torch::AutoGradMode mode(keep_graph);
  return {batch.real, gan.generator->forward(batch.latents)};
}

}  // namespace

Gan::Gan(const model::NetworkOptions& options, const AdamOptions& adam, torch::Device device, std::uint64_t seed,
         std::shared_ptr<distributed::Communicator> communicator)
    : generator(OnDevice(model::MakeGenerator(options), device)),
      discriminator(OnDevice(model::MakeDiscriminator(options), device)),
      generator_adam(generator->named_parameters(), adam),
      discriminator_adam(discriminator->named_parameters(), adam),
      generator_sync(generator->parameters(), {}, communicator),
      discriminator_sync(discriminator->parameters(), {}, communicator),
      statistics(AllStatistics(generator, discriminator)),
      statistics_sync({}, statistics, communicator) {
  model::InitialiseWeights(*generator, seed, 0);
  model::InitialiseWeights(*discriminator, seed, 1);
}

model::NamedTensors Gan::NamedState() const {
  return Joined({model::NamedState(*generator, "generator."), model::NamedState(*discriminator, "discriminator."),
                 generator_adam.NamedState("generator_adam."), discriminator_adam.NamedState("discriminator_adam.")});
}

StepResult TrainStep(Gan& gan, const StepPlan& plan, const BatchSource& next_batch) {
  StepResult result;
  const std::vector<torch::Tensor> statistics_before = Copies(gan.statistics);
  Round round;
  const std::uint32_t rounds = std::max(plan.discriminator_phases, 1U);
  for (std::uint32_t i = 0; i < rounds; ++i) {
    round = NextRound(gan, plan.train_generator && i + 1 == rounds, next_batch, result);
    if (plan.discriminator_phases > 0) {
      TrainDiscriminator(gan, plan, round.real, round.fake, result);
    } else {
      WatchDiscriminator(gan, plan, round.real, round.fake, result);
    }
  }
  if (plan.train_generator) {
    TrainGenerator(gan, plan, round.fake, result);  // the same fakes that D has just learnt from
  } else {
    WatchGenerator(gan, round.fake, result);
  }
  // The running statistics moved on every rank by its own images; averaged in every step, or no resume could be exact.
  Stopwatch watch(result.times.sync);
  if (!gan.statistics_sync.Synchronise().finite) Restore(gan.statistics, statistics_before);
  return result;
}

}  // namespace gan::step
