// One step of a Trainer: its plan, its measurements, and the decisions that follow from them.
#include <algorithm>
#include <chrono>
#include <utility>

#include "trainer/loss/adversarial.h"
#include "trainer/run/observe.h"
#include "trainer/run/stop_signal.h"
#include "trainer/run/trainer.h"

namespace gan::run {

namespace {

constexpr double kGradientPenalty = 10;  // lambda of WGAN-GP when the options do not set it

// The configured losses with the changes that the balance controller has decided.
loss::LossOptions WithBalanceActions(loss::LossOptions loss, const balance::Controls& controls,
                                     const balance::BalanceOptions& options) {
  if (controls.r1) loss.r1 = std::max(loss.r1, options.r1_gamma);
  if (controls.feature_matching) loss.feature_matching = std::max(loss.feature_matching, options.matching_weight);
  if (!controls.wgan_gp) return loss;
  loss.kind = loss::Kind::kWganGp;
  if (loss.gradient_penalty <= 0) loss.gradient_penalty = kGradientPenalty;
  return loss;
}

}  // namespace

// Combines the configuration with the controller's decisions. This step's plan is the same on all ranks.
step::StepPlan Trainer::PlanStep(const step::StepNumbers& numbers) const {
  const balance::Controls& controls = controller_.controls();
  step::StepPlan plan;
  plan.discriminator_phases =
      (step_ + 1) % controls.d_every == 0 ? static_cast<std::uint32_t>(options_.d_steps) * controls.d_steps : 0;
  plan.micro_batches = batches_of_step_.micro_batches;
  plan.train_generator = controls.freeze_g_steps == 0;
  plan.max_beta1 = controls.max_beta1;
  plan.labels = {options_.real_label, options_.fake_label};
  plan.loss = WithBalanceActions(options_.gan.loss, controls, controller_.options());
  // Lazy regularisation counts updates of D, not steps.
  plan.zero_centred_penalties = d_updates_ % plan.loss.penalty_every == 0;
  plan.augment = numbers.augment_probability > 0;
  // D's AUC without augmentation costs two further forwards, so it is measured now and then only.
  plan.evaluate_unaugmented = plan.augment && step_ % kUnaugmentedEvery == 0;
  return plan;
}

step::StepNumbers Trainer::NumbersOfStep() const {
  const balance::Controls& controls = controller_.controls();
  const double scale = step::LearningRateScale(options_.schedule, step_ + 1, FractionDone());
  double probability = 0;
  if (options_.gan.augmentation == step::Augmentation::kDiff) probability = 1;
  if (options_.gan.augmentation == step::Augmentation::kAda) probability = ada_.probability();
  return {.lr_d = options_.lr_d * scale * controls.base_scale_d * controls.lr_scale_d,
          .lr_g = options_.lr_g * scale * controls.base_scale_g * controls.lr_scale_g,
          .augment_probability = std::max(probability, controls.augment)};
}

// Widening and restarting change D itself, so they cannot be part of a plan.
void Trainer::ChangeDiscriminatorAsDecided() {
  const std::int64_t width = options_.gan.network.d_width * controller_.controls().d_width;
  const bool widens = gan_.options.network.d_width < width, restarts = d_restarts_ != controller_.controls().d_restarts;
  if ((widens || restarts) && recorded_steps_) recorded_steps_->Forget();
  if (widens) step::WidenDiscriminator(gan_, width, options_.seed);
  if (!restarts) return;
  d_restarts_ = controller_.controls().d_restarts;
  step::RestartDiscriminator(gan_, rollback_policy_.history().Seed(options_.seed) + d_restarts_);
}

// `trained`: number of the step among all that were trained, including discarded ones.
step::StepResult Trainer::Train(const step::StepPlan& plan, const step::StepNumbers& numbers, std::uint64_t trained) {
  const step::BatchSource next_batch = [&] { return faults_.Inject(batches_->Next(), trained); };
  if (recorded_steps_) return recorded_steps_->Run(plan, numbers, next_batch);
  return step::TrainStep(gan_, plan, numbers, next_batch);
}

// The decisions of the controllers on one step. They take effect in the next step.
void Trainer::DecideOnUndecided(StepRecord& record) {
  const UndecidedStep& done = *undecided_;
  ada_.Observe(done.sign_mean, done.images);
  for (auto& intervention : controller_.Observe(done.step, done.signals)) {
    record.interventions.push_back(std::move(intervention));
  }
  rollback_policy_.Observe(done.signals.finite, IsDiverging(), controller_.verdict());
}

bool Trainer::IsDiverging() const {
  if (!undecided_ || controller_.options().mode == balance::Mode::kOff) return false;
  return !balance::IsFinite(undecided_->signals) ||
         balance::IsBlownUp(controller_.averages(), undecided_->signals, controller_.options());
}

// The step's numbers are decided upon in the next call, so that a GPU does not wait for the decision. The record of
// this step therefore contains the interventions that followed from the step before.
StepRecord Trainer::Step() {
  const auto start = std::chrono::steady_clock::now();
  const step::StepNumbers numbers = NumbersOfStep();
  step::StepPlan plan = PlanStep(numbers);
  const std::uint64_t images_before = images_;
  StepRecord record;
  ChangeDiscriminatorAsDecided();
  // A fault is injected once, even if a rollback causes its step to be trained again.
  const std::uint64_t trained = step_ + 1 + rollback_policy_.history().ForgottenSteps();
  faults_.Inject(gan_, trained);
  faults_.Inject(plan, trained);
  faults_.Delay(trained);
  record.local = Train(plan, numbers, trained);
  record.seen = Observe(record.local, plan.augment, StopRequested(), *control_);
  record.about_classes = class_watch_->Observe(record.local, *control_);
  record.classes = class_watch_->Numbers();
  record.classes_collapsed = class_watch_->collapsed();
  record.classes_separated = class_watch_->separated();
  // Without a new measurement, the last AUC without augmentation stays.
  if (record.seen.auc < 0) record.seen.auc = auc_;
  auc_ = record.seen.auc;
  record.step = ++step_;
  if (plan.discriminator_phases > 0) ++d_updates_;
  record.images = images_ = batches_->cursor();
  gan_.ema.Update(*gan_.generator, images_ - images_before, images_);
  record.epoch = static_cast<double>(images_) / static_cast<double>(dataset_->size());
  record.lr_d = numbers.lr_d;
  record.lr_g = numbers.lr_g;
  record.augment_probability = numbers.augment_probability;
  MeasureQuality(record);
  balance::Signals signals = ToSignals(record.seen, record.local, loss::LossOf(plan.loss.kind).range(plan.labels));
  signals.epoch = record.epoch;
  record.interventions = std::exchange(unpublished_, {});
  if (undecided_) DecideOnUndecided(record);
  // The mean sign of D on real images, for ADA: accuracy is the fraction of positive outputs.
  undecided_ = {step_, signals, 2 * record.seen.accuracy_real - 1, images_ - images_before};
  if (!signals.finite) {
    record.interventions.push_back({step_, "skip_step", "a gradient or a loss was not finite: the update was skipped"});
  }
  record.verdict = controller_.verdict();
  record.collapse_foretold = controller_.IsCollapseForetold();
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  record.images_per_second = static_cast<double>(images_ - images_before) / record.seconds;
  Publish(record);
  return record;
}

// A record has room for one measurement.
void Trainer::MeasureQuality(StepRecord& record) {
  const bool is_last = FractionDone() >= 1;
  record.quality = quality_->Take(step_, is_last);
  if (record.quality && is_last) return;
  record.is_measured = quality_->Begin(gan_, step_, images_);
  if (record.is_measured && !record.quality) record.quality = quality_->Take(step_, is_last);
}

void Trainer::Publish(const StepRecord& record) {
  recorder_->Step(record, FractionDone());
  notifier_->Step(record);
  recorder_->Traffic(gradients_->traffic(), batches_->wait_seconds());
  if (const std::uint64_t corrupt = batches_->corrupt_records(); corrupt > 0) {
    recorder_->CorruptRecords(corrupt, batches_->last_corrupt());
  }
  if (recorder_->RanksAreDue(step_)) recorder_->Ranks(control_->AllGather(recorder_->MyTimes()));
}

}  // namespace gan::run
