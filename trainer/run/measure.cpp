#include "trainer/run/measure.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "trainer/run/agree.h"
#include "trainer/run/batches.h"
#include "trainer/run/classes_of_run.h"
#include "trainer/run/observe.h"

namespace gan::run {

namespace {

constexpr double kSeconds = 3;  // duration of the timed steps
constexpr std::uint64_t kFewestSteps = 1, kMostSteps = 300;

// Trains separate networks with separate optimizers and batches, so that nothing of the run changes.
class Trial {
 public:
  Trial(const TrainOptions& options, const distributed::World& world, torch::Device device,
        distributed::Communicator& control, const std::shared_ptr<const data::Dataset>& dataset,
        const data::Classes& classes)
      : options_(options),
        control_(control),
        plan_(PlanBatches(options, world.size)),
        gan_(WithClasses(options.gan, classes), device, options.seed,
             distributed::Communicator::Create(world, "measurement", device.is_cuda() ? "cuda" : "cpu",
                                               std::chrono::seconds(options.comm_timeout_seconds))),
        batches_(dataset, classes, options, options.seed, plan_.batch, world, device, 0) {
    gan_.classes = classes;
    OnAllRanks(control, [&] {
      if (options.gan.loss.perceptual <= 0) return;
      gan_.extractor = std::make_shared<loss::FeatureExtractor>(options.gan.loss.perceptual_file, device);
    });
  }

  // Returns the seconds that `steps` steps took on this rank.
  double Train(std::uint64_t steps) {
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < steps; ++i) Step();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  std::uint64_t images() const { return batches_.cursor(); }

 private:
  // Only the parts of Trainer::Step() that take a noticeable time.
  void Step() {
    const step::StepPlan plan = Plan();
    const std::uint64_t before = batches_.cursor();
    const step::StepResult result =
        step::TrainStep(gan_, plan, {.lr_d = options_.lr_d, .lr_g = options_.lr_g}, [&] { return batches_.Next(); });
    Observe(result, plan.augment, /*stop_requested=*/false, control_);
    gan_.ema.Update(*gan_.generator, batches_.cursor() - before, batches_.cursor());
    ++step_;
  }

  step::StepPlan Plan() const {
    step::StepPlan plan;
    plan.discriminator_phases = static_cast<std::uint32_t>(options_.d_steps);
    plan.micro_batches = plan_.micro_batches;
    plan.labels = {options_.real_label, options_.fake_label};
    plan.loss = options_.gan.loss;
    plan.zero_centred_penalties = step_ % plan.loss.penalty_every == 0;
    const bool balance_augments = options_.balance.mode == balance::Mode::kAct &&
                                  ResolveBalance(options_).IsEnabled(balance::ActionGroup::kAugment);
    plan.augment = balance_augments || options_.gan.augmentation != step::Augmentation::kNone;
    return plan;
  }

  const TrainOptions& options_;
  distributed::Communicator& control_;
  const BatchPlan plan_;
  step::Gan gan_;
  Batches batches_;
  std::uint64_t step_ = 0;
};

// Rank 0's number, on every rank, so that decisions based on it are the same everywhere.
double OfRankZero(double mine, distributed::Communicator& control) {
  char text[32];
  // 17 digits identify a double exactly.
  std::snprintf(text, sizeof text, "%.17g", mine);
  return std::stod(control.Broadcast(text));
}

}  // namespace

StepTime MeasureStepTime(const TrainOptions& options, const distributed::World& world, torch::Device device,
                         distributed::Communicator& control) {
  std::shared_ptr<const data::Dataset> dataset;
  data::Classes classes;
  OnAllRanks(control, [&] {
    dataset = OpenDataset(options);
    classes = ClassesOf(options, *dataset);
  });
  Trial trial(options, world, device, control, dataset, classes);
  trial.Train(1);  // allocates memory and prepares the operations for their shapes
  // Rank 0's time is used by all, because all ranks must take the same number of steps, or some would wait for ever.
  const double second = OfRankZero(trial.Train(1), control);
  // R1 and R2 may cost something in some steps only, so whole cycles of them are timed.
  const std::uint64_t cycle = std::min(options.gan.loss.penalty_every, kMostSteps);
  const std::uint64_t wanted = static_cast<std::uint64_t>(kSeconds / std::max(second, 1e-6));
  const std::uint64_t steps = std::max(std::clamp(wanted, kFewestSteps, kMostSteps) / cycle, std::uint64_t{1}) * cycle;
  const std::uint64_t images = trial.images();
  const double seconds = OfRankZero(trial.Train(steps), control);
  return {.seconds = seconds / static_cast<double>(steps),
          .steps = steps,
          .images = (trial.images() - images) / steps,
          .training_images = dataset->size()};
}

}  // namespace gan::run
