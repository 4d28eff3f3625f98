#include "trainer/step/recorded_steps.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "trainer/step/queue_step.h"

namespace gan::step {

// A plan that has been seen.
struct RecordedSteps::Known {
  StepPlan plan;
  std::uint32_t steps = 0;              // number of steps that were not repeated
  double share_of_discriminator = 0.5;  // in the time of both phases
  std::unique_ptr<distributed::Graph> graph = nullptr;
  StatisticsRow row = {};
  std::uint64_t sent_bytes = 0;  // per step, over the network
};

namespace {

// A batch has the same place in memory in every step, to which the feed's batches are copied on the device. The feed
// cannot write there itself: it works on the next batches while a step still reads its own.
void CopyInto(Batch& place, Batch& batch) {
  torch::NoGradGuard no_grad;
  const auto to = place.Tensors(), from = batch.Tensors();
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (!from[i]->defined()) continue;
    if (!to[i]->defined()) *to[i] = torch::empty_like(*from[i]);
    if (to[i]->sizes() != from[i]->sizes()) throw std::logic_error("a recorded step got a batch of another shape");
    to[i]->copy_(*from[i]);
  }
}

}  // namespace

RecordedSteps::RecordedSteps(Gan& gan, distributed::RecordGraph record) : gan_(gan), record_(std::move(record)) {}
RecordedSteps::~RecordedSteps() = default;

void RecordedSteps::Forget() { known_.clear(); }

std::size_t RecordedSteps::graphs() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(known_, [](const Known& known) { return known.graph != nullptr; }));
}

StepResult RecordedSteps::Run(const StepPlan& plan, const StepNumbers& numbers, const BatchSource& next_batch) {
  Known& known = Find(plan);
  const bool repeats = known.graph != nullptr || (known.steps >= kWarmUp && graphs() < kMostGraphs);
  return repeats ? Repeat(known, numbers, next_batch) : RunAndLearn(known, numbers, next_batch);
}

// A list, because a recorded step refers to its entry.
RecordedSteps::Known& RecordedSteps::Find(const StepPlan& plan) {
  const auto found = std::ranges::find(known_, plan, &Known::plan);
  if (found != known_.end()) return *found;
  return known_.emplace_back(Known{.plan = plan});
}

StepResult RecordedSteps::RunAndLearn(Known& known, const StepNumbers& numbers, const BatchSource& next_batch) {
  StepResult result = TrainStep(gan_, known.plan, numbers, next_batch);
  ++known.steps;
  const double both = result.times.discriminator + result.times.generator;
  if (both > 0) known.share_of_discriminator = result.times.discriminator / both;
  return result;
}

StepResult RecordedSteps::Repeat(Known& known, const StepNumbers& numbers, const BatchSource& next_batch) {
  PhaseClock clock(gan_.device, *gan_.communicator);
  {
    const PhaseClock::Lap lap(&clock, &StepTimes::data);
    TakeInputs(BatchCount(known.plan), next_batch);
  }
  if (!numbers_) numbers_ = std::make_unique<DeviceNumbers>(numbers, gan_.device);
  numbers_->CopyFrom(DeviceNumbers(numbers, gan_.device));
  if (known.graph == nullptr) {
    Record(known);
  } else {
    gan_.communicator->CountSent(known.sent_bytes);
  }
  {
    const PhaseClock::Lap lap(&clock, &StepTimes::discriminator);
    known.graph->Replay();
  }
  StepResult result;
  // The only wait for the GPU.
  known.row.ReadInto(result, OnHost(known.row.values));
  clock.ReadInto(result.times);
  const double both = result.times.discriminator;
  result.times.discriminator = both * known.share_of_discriminator;
  result.times.generator = both - result.times.discriminator;
  result.real_batches = BatchCount(known.plan);
  return result;
}

void RecordedSteps::TakeInputs(std::uint32_t count, const BatchSource& next_batch) {
  if (inputs_.size() < count) inputs_.resize(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Batch batch = next_batch();
    CopyInto(inputs_[i], batch);
  }
}

// Recording calls the step's collectives without running them, so it counts their bytes once, for the step that is
// repeated next.
void RecordedSteps::Record(Known& known) {
  const std::uint64_t before = gan_.communicator->traffic().bytes;
  known.graph = record_([this, &known] {
    std::size_t next = 0;
    const BatchSource inputs = [&] { return inputs_.at(next++); };
    known.row = QueueStep(gan_, {known.plan, *numbers_}, inputs, /*clock=*/nullptr);
  });
  known.sent_bytes = gan_.communicator->traffic().bytes - before;
}

// The copy is complete when the stream has reached its end: the host waits there, like TrainStep, and the step's time
// limit counts.
torch::Tensor RecordedSteps::OnHost(const torch::Tensor& values) {
  if (values.is_cpu()) return values;
  if (!host_.defined() || host_.numel() < values.numel()) {
    host_ = torch::empty({values.numel()}, torch::TensorOptions(torch::kDouble).pinned_memory(true));
  }
  torch::Tensor arrived = host_.narrow(0, 0, values.numel());
  arrived.copy_(values, /*non_blocking=*/true);
  CurrentStream(gan_.device).synchronize();
  // The caller keeps the result longer than this step.
  return arrived.clone();
}

}  // namespace gan::step
