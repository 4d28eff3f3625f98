#pragma once

#include <cstdint>

#include <torch/types.h>

#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"

namespace gan::run {

// The measured time of the steps of a run. The same on all ranks.
struct StepTime {
  double seconds = 0;                 // per step, the mean of `steps`
  std::uint64_t steps = 0;            // number of timed steps, after two steps that were not timed
  std::uint64_t images = 0;           // per step, over all ranks
  std::uint64_t training_images = 0;  // size of the data set
};

// Collective over the world. Trains new networks on the data of the run for about three seconds, then discards them: a
// run that follows has the same numbers as without the measurement. Like the steps of the run, these read batches,
// train D and G, exchange gradients and compute the signals. If the balance may augment, all images are augmented, so
// that the time is not underestimated. Grids, checkpoints and measures of quality are not included. `control`: for
// decisions; `device`: from PrepareDevice. Throws the errors of opening the data set.
StepTime MeasureStepTime(const TrainOptions& options, const distributed::World& world, torch::Device device,
                         distributed::Communicator& control);

}  // namespace gan::run
