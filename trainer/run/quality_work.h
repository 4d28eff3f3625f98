#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "checkpoint/checkpoint.h"
#include "trainer/data/classes.h"
#include "trainer/data/loader.h"
#include "trainer/quality/evaluator.h"
#include "trainer/run/aside.h"
#include "trainer/run/copy_watch.h"
#include "trainer/run/measurement.h"
#include "trainer/run/options.h"
#include "trainer/run/quality_by_class.h"
#include "trainer/step/gan.h"

namespace gan::run {

// Measures images of a generator against the holdout, on its own thread and with a copy of the weights. At most one
// measurement at a time. Images are generated on the device of the networks, and everything else is computed on the
// CPU. Only one rank needs it. Not thread-safe.
class QualityWork {
 public:
  // `folder`: receives grids of generated images beside the nearest training images. It and `options` must outlive the
  // object. Throws UsageError when the holdout is too small for the measures.
  QualityWork(const TrainOptions& options, const std::shared_ptr<const data::Dataset>& dataset,
              const data::Classes& classes, const RunFolder& folder, torch::Device device);

  // Begins to compute the features of the real images that each measurement needs, unless that was begun before.
  void Prepare();
  // Copies the averaged weights of G (its current weights when there is no average), and begins to measure them. No
  // other measurement may be running.
  void Begin(const step::Gan& gan, std::uint64_t step);
  // Begins to measure the weights in the checkpoint of that step; `like` has the same networks. Throws DataError.
  void Begin(const checkpoint::Checkpoint& saved, const step::Gan& like);

  // See Aside. Finish() also reports in the log when the generator has learnt its images by heart.
  Aside::Found Wait(std::chrono::milliseconds most) { return aside_.Wait(most); }
  Measurement Finish();
  void Drop() { aside_.Drop(); }

 private:
  void Start(std::uint64_t step);
  Measurement Measure(std::uint64_t step);
  std::optional<picture::Mark> MarkOfPairs(std::uint64_t step);

  const TrainOptions& options_;
  const data::Classes classes_;
  const torch::Device device_;
  torch::nn::Sequential generator_{nullptr};  // the copy
  std::optional<quality::Evaluator> evaluator_;
  std::optional<CopyWatch> copies_;
  std::optional<QualityByClass> by_class_;
  bool prepared_ = false;

  // Written by the work, and read when it is done.
  Measurement result_;
  std::optional<nearest::Copies> found_;

  Aside aside_;  // last: its work uses all members above
};

}  // namespace gan::run
