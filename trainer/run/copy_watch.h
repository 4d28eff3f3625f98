#pragma once

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
// says in the log when the generator has learnt its images by heart and when that is over. One rank alone needs it.
// Works without LibTorch's threads and without collectives, so any thread may call it. Not thread-safe.
class CopyWatch {
 public:
  using Values = std::vector<std::pair<std::string, double>>;

  // `flip`: training mirrors images. `alive` is called now and then. Reads nothing yet. `folder` must outlive the
  // object.
  CopyWatch(std::shared_ptr<const data::Dataset> dataset, bool flip, const RunFolder& folder,
            std::function<void()> alive);

  // fakes: of the generator at `step`; nearest::kGenerated of them are asked for, in batches. `mark`: for the grid;
  // nothing for none. Returns `copies`, `copies_floor` (of the held-out images), `copies_p` and `copies_told`, NaN when
  // there are too few training images. A grid that cannot be written is a warning. Throws DataError.
  Values Measure(const quality::ImageSource& fakes, std::uint64_t step, const std::optional<picture::Mark>& mark);

 private:
  void Tell(const nearest::Copies& found, std::uint64_t step);
  void WritePairs(const nearest::Examination& examination, std::uint64_t step,
                  const std::optional<picture::Mark>& mark) const;

  std::shared_ptr<const data::Dataset> dataset_;
  bool flip_;
  const RunFolder& folder_;
  std::function<void()> alive_;
  std::optional<nearest::Reference> reference_;
  bool told_ = false;
};

// The values that Measure() returns, in their order, for a result or (nothing) for ranks that do not measure.
CopyWatch::Values ValuesOf(const std::optional<nearest::Copies>& copies);

}  // namespace gan::run
