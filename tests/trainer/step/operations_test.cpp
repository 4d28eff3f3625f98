// The operations of a step follow from its plan alone, so that a device can repeat a recorded step.
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/trainer/step/tiny_gan.h"
#include "trainer/loss/adversarial.h"

namespace gan::step {
namespace {

// The operations that wait for the answer of a device.
const std::set<std::string> kQuestions = {
    "aten::_local_scalar_dense", "aten::is_nonzero", "aten::nonzero", "aten::equal",
    "aten::masked_select",       "aten::_unique2"};

// Everything that a step reads or changes and that lies at one place in memory in every step: address -> name.
using Places = std::map<const void*, std::string>;

void Describe(const c10::IValue& value, const Places& places, std::ostringstream& text) {
  if (value.isTensor()) {
    const torch::Tensor& tensor = value.toTensor();
    if (!tensor.defined()) {
      text << "undefined ";
      return;
    }
    const auto place = places.find(tensor.has_storage() ? tensor.storage().data() : nullptr);
    text << (place == places.end() ? "temporary" : place->second) << tensor.scalar_type() << tensor.sizes() << ' ';
  } else if (value.isTensorList() || value.isList()) {
    text << "[ ";
    for (const c10::IValue& element : value.toListRef()) Describe(element, places, text);
    text << "] ";
  } else {
    text << value << ' ';  // a number that is part of the operation
  }
}

// The operations called on this thread while the object lives, in order, without those that they call themselves.
class Recorder {
 public:
  explicit Recorder(Places places) : places_(std::move(places)) {
    current = this;
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(&Recorder::Begin, &Recorder::End)
                                             .needsInputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
  }
  ~Recorder() {
    at::removeCallback(handle_);
    current = nullptr;
  }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  std::vector<std::string> operations;
  std::vector<std::size_t> copies_to_host;  // which operations these are
  std::size_t questions = 0;                // any other ways to wait for a device

 private:
  static std::unique_ptr<at::ObserverContext> Begin(const at::RecordFunction& function) {
    current->Add(function);
    return nullptr;
  }
  static void End(const at::RecordFunction& function, at::ObserverContext* /*context*/) { current->Leave(function); }

  void Add(const at::RecordFunction& function) {
    const std::string name = function.name();
    // On a CPU Adam's kernel reads its rate itself; on a GPU the kernel reads it on the device.
    questions += in_adam_ == 0 && kQuestions.contains(name) ? 1 : 0;
    in_adam_ += name == "aten::_fused_adam_" ? 1 : 0;
    if (depth_++ > 0) return;
    std::ostringstream text;
    text << name << ' ';
    bool to_host = false;
    for (const c10::IValue& input : function.inputs()) {
      Describe(input, places_, text);
      to_host = to_host || (input.isDevice() && input.toDevice().is_cpu());
    }
    if (to_host && name == "aten::to") copies_to_host.push_back(operations.size());
    operations.push_back(text.str());
  }
  void Leave(const at::RecordFunction& function) {
    in_adam_ -= std::string(function.name()) == "aten::_fused_adam_" ? 1 : 0;
    --depth_;
  }

  static thread_local Recorder* current;
  Places places_;
  at::CallbackHandle handle_ = 0;
  int depth_ = 0, in_adam_ = 0;
};

thread_local Recorder* Recorder::current = nullptr;

Places PlacesOf(const Gan& gan, const std::vector<Batch>& batches) {
  Places places;
  for (const auto& [name, tensor] : gan.NamedState()) places[tensor.storage().data()] = name;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const std::string name = "batch " + std::to_string(i) + " ";
    places[batches[i].real.storage().data()] = name + "real";
    places[batches[i].latents.storage().data()] = name + "latents";
    places[batches[i].draws.augment.storage().data()] = name + "draws";
    places[batches[i].draws.mix.storage().data()] = name + "mix";
  }
  return places;
}

// Other images, latents and random numbers for each `turn`, at the same places in memory, as the feed of a run would
// write them.
void Fill(std::vector<Batch>& batches, int turn) {
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const Batch fresh = BatchOf(100 * turn + static_cast<int>(i), 2, torch::kDouble);
    batches[i].real.copy_(fresh.real);
    batches[i].latents.copy_(fresh.latents);
    const Draws draws = DrawsOf(/*seed=*/7, static_cast<std::uint64_t>(turn), 2, torch::kCPU);
    batches[i].draws.augment.copy_(draws.augment);
    batches[i].draws.mix.copy_(draws.mix);
  }
}

void Train(Gan& gan, const StepPlan& plan, const std::vector<Batch>& batches, int turn) {
  const StepNumbers numbers = {
      .lr_d = 1e-4 * (turn + 1), .lr_g = 2e-4 * (turn + 1), .augment_probability = 0.2 * (turn + 1)};
  std::size_t next = 0;
  TrainStep(gan, plan, numbers, [&] { return batches.at(next++); });
}

// Plans of one kind of loss: every combination of penalties, micro-batches, augmentation and D's updates; and with both
// penalties also feature matching and a frozen G.
std::vector<StepPlan> PlansOf(loss::Kind kind) {
  std::vector<StepPlan> plans;
  StepPlan plan;
  plan.loss.kind = kind;
  for (const int penalties : {0, 1, 2, 3}) {
    plan.loss.r1 = penalties & 1;
    plan.loss.r2 = penalties >> 1;
    for (const std::uint32_t micro_batches : {1U, 2U}) {
      plan.micro_batches = micro_batches;
      for (const bool augment : {false, true}) {
        plan.augment = plan.evaluate_unaugmented = augment;
        for (const std::uint32_t phases : {0U, 1U, 2U}) {
          plan.discriminator_phases = phases;
          plans.push_back(plan);
          if (penalties != 3) continue;
          plans.push_back(plan);
          plans.back().loss.feature_matching = 1;
          plans.push_back(plan);
          plans.back().train_generator = false;
        }
      }
    }
  }
  return plans;
}

std::string Words(const StepPlan& plan) {
  std::ostringstream words;
  words << "R1 " << plan.loss.r1 << ", R2 " << plan.loss.r2 << ", matching " << plan.loss.feature_matching
        << ", micro-batches " << plan.micro_batches << ", augment " << plan.augment << ", D phases "
        << plan.discriminator_phases << ", train G " << plan.train_generator;
  return words.str();
}

// Returns the operations of one step.
std::vector<std::string> ExpectOneQuestionAtTheEnd(Gan& gan, const StepPlan& plan, std::vector<Batch>& batches,
                                                   int turn) {
  Fill(batches, turn);
  const Recorder recorder(PlacesOf(gan, batches));
  Train(gan, plan, batches, turn);
  EXPECT_EQ(recorder.questions, 0U);
  EXPECT_EQ(recorder.copies_to_host.size(), 1U);
  if (recorder.copies_to_host.empty()) return recorder.operations;
  for (const std::size_t copy : recorder.copies_to_host) {
    EXPECT_EQ(copy, recorder.copies_to_host.back()) << "not at the end: " << recorder.operations[copy];
  }
  for (std::size_t i = recorder.copies_to_host.back() + 1; i < recorder.operations.size(); ++i) {
    EXPECT_TRUE(recorder.operations[i].starts_with("aten::narrow ")) << recorder.operations[i];
  }
  return recorder.operations;
}

class Operations : public testing::TestWithParam<const loss::AdversarialLoss*> {};

TEST_P(Operations, FollowFromThePlanAndAskTheDeviceOnceAtTheEnd) {
  // In float64 the norms of gradients are operations, too, as they are on a GPU.
  GanOptions options = TinyOptions();
  options.precision = Precision::kFp64;
  Gan gan(options, torch::kCPU, /*seed=*/1, distributed::Communicator::Create({}, "operations"));
  std::size_t count = 0;
  for (const StepPlan& plan : PlansOf(GetParam()->kind)) {
    SCOPED_TRACE(Words(plan));
    std::vector<Batch> batches;
    for (std::uint32_t i = 0; i < plan.micro_batches * std::max(plan.discriminator_phases, 1U); ++i) {
      batches.push_back(BatchOf(static_cast<int>(i), 2, torch::kDouble));
    }
    const std::vector<std::string> first = ExpectOneQuestionAtTheEnd(gan, plan, batches, 0);
    const std::vector<std::string> second = ExpectOneQuestionAtTheEnd(gan, plan, batches, 1);
    ASSERT_EQ(first.size(), second.size());
    for (std::size_t i = 0; i < first.size(); ++i) ASSERT_EQ(first[i], second[i]) << i;
    EXPECT_GT(first.size(), 200U);
    ++count;
  }
  std::cout << count << " plans of " << GetParam()->name << ": two steps perform the same operations\n";
}

TEST(Recorder, NoticesAQuestionAndANumberThatIsPartOfAnOperation) {
  const torch::Tensor one = torch::ones({1});
  const Recorder recorder({{one.storage().data(), "one"}});
  const torch::Tensor sum = one + one.item<double>();
  EXPECT_EQ(recorder.questions, 1U);
  ASSERT_EQ(recorder.operations.size(), 2U);
  EXPECT_EQ(recorder.operations[1], "aten::add oneFloat[1] 1. 1 ");
}

INSTANTIATE_TEST_SUITE_P(OfEachLoss, Operations, testing::ValuesIn(loss::kAdversarialLosses),
                         [](const auto& each) { return "Loss" + std::to_string(each.index); });

}  // namespace
}  // namespace gan::step
