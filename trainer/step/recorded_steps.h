#pragma once

#include <torch/types.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/distributed/graph.h"
#include "trainer/step/train_step.h"

namespace gan::step {

struct DeviceNumbers;
struct StatisticsRow;

// Training steps whose operations are recorded once per plan and then repeated, so that a GPU does not wait for the
// host to queue them. The result is that of TrainStep, bit for bit. The first steps of a plan run as in TrainStep,
// because libraries choose their algorithms and allocate memory at the first use of a shape. Plans beyond the first
// kMostGraphs always run like that. Whether a step is recorded follows from the plans so far, so all ranks record,
// and repeat, the same steps.
//
// Refers to the gan, which must outlive it. Not thread-safe.
class RecordedSteps {
 public:
  static constexpr std::uint32_t kWarmUp = 3;     // steps of a plan that are not recorded
  static constexpr std::size_t kMostGraphs = 12;  // every graph occupies memory of the GPU for its list of operations

  RecordedSteps(Gan& gan, distributed::RecordGraph record);
  ~RecordedSteps();
  RecordedSteps(const RecordedSteps&) = delete;
  RecordedSteps& operator=(const RecordedSteps&) = delete;

  // Makes a step as TrainStep does. All batches must have the same shape. In a repeated step the phases of D and G
  // cannot be measured apart: its time on the device is divided as in the plan's last step that was not repeated.
  StepResult Run(const StepPlan& plan, const StepNumbers& numbers, const BatchSource& next_batch);
  // Call it when tensors of the gan were replaced instead of overwritten: recorded operations use the old ones.
  void Forget();
  std::size_t graphs() const;

 private:
  struct Known;
  Known& Find(const StepPlan& plan);
  StepResult RunAndLearn(Known& known, const StepNumbers& numbers, const BatchSource& next_batch);
  StepResult Repeat(Known& known, const StepNumbers& numbers, const BatchSource& next_batch);
  void TakeInputs(std::uint32_t count, const BatchSource& next_batch);
  void Record(Known& known);
  torch::Tensor OnHost(const torch::Tensor& values);

  Gan& gan_;
  const distributed::RecordGraph record_;
  std::vector<Batch> inputs_;  // where recorded steps find their batches
  std::unique_ptr<DeviceNumbers> numbers_;
  torch::Tensor host_;  // page-locked on GPUs: where the measurements arrive
  std::list<Known> known_;
};

}  // namespace gan::step
