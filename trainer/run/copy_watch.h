#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "picture/mark.h"
#include "trainer/data/loader.h"
#include "trainer/nearest/examination.h"
#include "trainer/quality/evaluator.h"
#include "trainer/run/run_folder.h"

namespace gan::run {

// Looks for copies of training images among generated ones (trainer/nearest), writes the grid nearest-XXXXXXXX.png, and
// reports in the log when the generator has learnt its images by heart and when this ends. Only one rank needs it.
// Works without LibTorch's threads and without collectives. Not thread-safe; Tell() may be called by another thread
// than the rest.
class CopyWatch {
 public:
  using Values = std::vector<std::pair<std::string, double>>;
  // Returns generated images [first, first + count): uint8 [count, R, R, 3] on the CPU.
  using ByteSource = std::function<torch::Tensor(std::int64_t first, std::int64_t count)>;

  // `flip`: training mirrors images. `alive` is called from time to time. The constructor reads nothing. `folder` must
  // outlive the object.
  CopyWatch(std::shared_ptr<const data::Dataset> dataset, bool flip, const RunFolder& folder,
            std::function<void()> alive);

  // Reads the training images, unless that is done. Measure() calls it. Throws DataError.
  void Prepare();
  // fakes: images of the generator at `step`, called for nearest::kGenerated of them in batches of
  // quality::Evaluator::kBatch. `mark`: for the grid; empty: none. Empty when there are too few training images. A grid
  // that cannot be written is a warning. Throws DataError.
  std::optional<nearest::Copies> Measure(const ByteSource& fakes, std::uint64_t step,
                                         const std::optional<picture::Mark>& mark);
  // Logs changes in the results of Measure(). Call it in the order of the steps.
  void Tell(const std::optional<nearest::Copies>& found, std::uint64_t step);

 private:
  void WritePairs(const nearest::Examination& examination, std::uint64_t step,
                  const std::optional<picture::Mark>& mark) const;

  std::shared_ptr<const data::Dataset> dataset_;
  bool flip_;
  const RunFolder& folder_;
  std::function<void()> alive_;
  std::optional<nearest::Reference> reference_;
  bool told_ = false;  // whether the last log line said that the generator has learnt its images by heart
};

// `copies`, `copies_floor` (of the held-out images), `copies_p` and `copies_told`, in this order; NaN without a result.
CopyWatch::Values ValuesOf(const std::optional<nearest::Copies>& copies);

}  // namespace gan::run
