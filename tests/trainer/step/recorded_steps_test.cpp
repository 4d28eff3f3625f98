// Recorded steps give the results of TrainStep. No GPU is needed: the device is replaced by one that "repeats" a
// recording by calling its operations again, on what then lies at the places that they read.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/trainer/step/tiny_gan.h"
#include "trainer/step/recorded_steps.h"

namespace gan::step {
namespace {

class CalledAgain final : public distributed::Graph {
 public:
  explicit CalledAgain(std::function<void()> queue) : queue_(std::move(queue)) {}
  void Replay() override { queue_(); }

 private:
  std::function<void()> queue_;
};

std::unique_ptr<distributed::Graph> RecordForCpu(const std::function<void()>& queue) {
  return std::make_unique<CalledAgain>(queue);
}

// The plan, numbers and batches of step `step`: the plan changes as in a run with lazy penalties and with augmentation
// that begins later.
StepPlan PlanOf(int step) {
  StepPlan plan;
  plan.loss.r1 = 1;
  plan.zero_centred_penalties = step % 2 == 0;
  plan.augment = step >= 10;
  plan.evaluate_unaugmented = plan.augment && step % 4 == 0;
  return plan;
}

StepNumbers NumbersOf(int step) {
  return {.lr_d = 1e-4 * (step + 1), .lr_g = 2e-4, .augment_probability = 0.02 * step};
}

BatchSource SourceOf(int step) {
  auto next = std::make_shared<int>(100 * step + 10 * distributed::TestWorld().rank);
  return [next] { return BatchOf((*next)++); };
}

bool BitEqual(const torch::Tensor& a, const torch::Tensor& b) {
  return a.defined() == b.defined() && (!a.defined() || torch::equal(a, b));
}

void ExpectEqual(const StepResult& a, const StepResult& b) {
  EXPECT_EQ(a.loss_d_real, b.loss_d_real);
  EXPECT_EQ(a.loss_d_fake, b.loss_d_fake);
  EXPECT_EQ(a.loss_g, b.loss_g);
  EXPECT_EQ(a.penalty, b.penalty);
  EXPECT_EQ(a.matching, b.matching);
  EXPECT_EQ(a.real_distance, b.real_distance);
  EXPECT_EQ(a.fake_distance, b.fake_distance);
  EXPECT_EQ(a.real_batches, b.real_batches);
  EXPECT_TRUE(BitEqual(a.real_logits, b.real_logits));
  EXPECT_TRUE(BitEqual(a.fake_logits, b.fake_logits));
  EXPECT_TRUE(BitEqual(a.unaugmented_real_logits, b.unaugmented_real_logits));
  EXPECT_TRUE(BitEqual(a.real_classes, b.real_classes));
  const auto norm = [](const std::optional<Update>& update) { return update ? update->gradient_norm : -1; };
  EXPECT_EQ(norm(a.discriminator), norm(b.discriminator));
  EXPECT_EQ(norm(a.generator), norm(b.generator));
}

void ExpectEqual(const Gan& a, const Gan& b) {
  const auto of_a = a.NamedState(), of_b = b.NamedState();
  ASSERT_EQ(of_a.size(), of_b.size());
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    EXPECT_TRUE(torch::equal(of_a[i].second, of_b[i].second)) << of_a[i].first;
  }
}

// Trains both for the same steps and expects the same of them.
void ExpectSameSteps(Gan& queued, Gan& recorded, RecordedSteps& steps, int begin, int end) {
  for (int step = begin; step < end; ++step) {
    SCOPED_TRACE(step);
    const StepResult expected = TrainStep(queued, PlanOf(step), NumbersOf(step), SourceOf(step));
    ExpectEqual(expected, steps.Run(PlanOf(step), NumbersOf(step), SourceOf(step)));
  }
  ExpectEqual(queued, recorded);
}

TEST(RecordedSteps, HaveTheResultsOfTrainStep) {
  Gan queued = TinyGan(), recorded = TinyGan();
  RecordedSteps steps(recorded, RecordForCpu);
  ExpectSameSteps(queued, recorded, steps, 0, 8);
  EXPECT_EQ(steps.graphs(), 2U);
  ExpectSameSteps(queued, recorded, steps, 8, 26);
  EXPECT_EQ(steps.graphs(), 5U);
}

TEST(RecordedSteps, HaveTheResultsOfTrainStepWithSeveralBatches) {
  Gan queued = TinyGan(), recorded = TinyGan();
  RecordedSteps steps(recorded, RecordForCpu);
  StepPlan plan;
  plan.micro_batches = 2;
  plan.discriminator_phases = 2;
  for (int step = 0; step < 6; ++step) {
    const StepResult expected = TrainStep(queued, plan, NumbersOf(step), SourceOf(step));
    const StepResult result = steps.Run(plan, NumbersOf(step), SourceOf(step));
    ExpectEqual(expected, result);
    EXPECT_EQ(result.real_batches, 4U);
  }
  EXPECT_EQ(steps.graphs(), 1U);
  ExpectEqual(queued, recorded);
}

TEST(RecordedSteps, BelongToTheTensorsOfTheirNetworks) {
  Gan queued = TinyGan(), recorded = TinyGan();
  RecordedSteps steps(recorded, RecordForCpu);
  ExpectSameSteps(queued, recorded, steps, 0, 8);
  for (Gan* gan : {&queued, &recorded}) WidenDiscriminator(*gan, 2, /*seed=*/5);
  steps.Forget();
  EXPECT_EQ(steps.graphs(), 0U);
  ExpectSameSteps(queued, recorded, steps, 8, 12);
  for (Gan* gan : {&queued, &recorded}) RestartDiscriminator(*gan, /*seed=*/6);
  steps.Forget();
  ExpectSameSteps(queued, recorded, steps, 12, 27);
  EXPECT_EQ(steps.graphs(), 3U);
}

TEST(RecordedSteps, RareAndFurtherPlansAreNotRecorded) {
  Gan gan = TinyGan();
  RecordedSteps steps(gan, RecordForCpu);
  StepPlan plan;
  for (std::uint32_t i = 0; i < RecordedSteps::kWarmUp; ++i) steps.Run(plan, {}, SourceOf(0));
  EXPECT_EQ(steps.graphs(), 0U);
  for (std::size_t kind = 0; kind < RecordedSteps::kMostGraphs + 1; ++kind) {
    plan.loss_factor = 1 + static_cast<double>(kind);
    for (std::uint32_t i = 0; i <= RecordedSteps::kWarmUp; ++i) steps.Run(plan, {}, SourceOf(0));
  }
  EXPECT_EQ(steps.graphs(), std::size_t{RecordedSteps::kMostGraphs});
}

TEST(RecordedSteps, TimeIsDividedAmongThePhases) {
  Gan gan = TinyGan();
  RecordedSteps steps(gan, RecordForCpu);
  for (std::uint32_t i = 0; i < RecordedSteps::kWarmUp; ++i) steps.Run({}, {}, SourceOf(0));
  const StepTimes times = steps.Run({}, {}, SourceOf(0)).times;
  EXPECT_GT(times.data, 0);
  EXPECT_GT(times.discriminator, 0);
  EXPECT_GT(times.generator, 0);
}

TEST(RecordedSteps, AnErrorOfTheBatchesPassesThroughAndTheNextStepIsWhole) {
  Gan queued = TinyGan(), recorded = TinyGan();
  RecordedSteps steps(recorded, RecordForCpu);
  ExpectSameSteps(queued, recorded, steps, 0, 8);
  const BatchSource fails = []() -> Batch { throw std::runtime_error("a damaged record"); };
  EXPECT_THROW(steps.Run(PlanOf(8), NumbersOf(8), fails), std::runtime_error);
  ExpectSameSteps(queued, recorded, steps, 8, 10);
}

TEST(RecordedSteps, ABatchOfAnotherShapeIsAnError) {
  Gan gan = TinyGan();
  RecordedSteps steps(gan, RecordForCpu);
  for (std::uint32_t i = 0; i <= RecordedSteps::kWarmUp; ++i) steps.Run({}, {}, SourceOf(0));
  EXPECT_THROW(steps.Run({}, {}, [] { return BatchOf(0, 2); }), std::logic_error);
}

}  // namespace
}  // namespace gan::step
