#include "trainer/run/copy_watch.h"

#include <algorithm>
#include <limits>

#include "cli/log.h"
#include "picture/png.h"
#include "storage/errors.h"

namespace gan::run {

namespace {

constexpr const char* kAdvice = "train on more images, add --flip or --augment diff, or use an earlier checkpoint";

}  // namespace

CopyWatch::Values ValuesOf(const std::optional<nearest::Copies>& copies) {
  // NaN instead of leaving the name out, because every line of quality.jsonl has the same keys.
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  return {{"copies", copies ? copies->rate() : kUnknown},
          {"copies_floor", copies ? copies->floor() : kUnknown},
          {"copies_p", copies ? copies->probability : kUnknown},
          {"copies_told", copies ? (copies->learnt_by_heart ? 1.0 : 0.0) : kUnknown}};
}

CopyWatch::CopyWatch(std::shared_ptr<const data::Dataset> dataset, bool flip, const RunFolder& folder,
                     std::function<void()> alive)
    : dataset_(std::move(dataset)), flip_(flip), folder_(folder), alive_(std::move(alive)) {}

// The training images are read late, because most runs of tests and trials measure nothing.
void CopyWatch::Prepare() {
  if (!reference_) reference_.emplace(dataset_, flip_, alive_);
}

std::optional<nearest::Copies> CopyWatch::Measure(const ByteSource& fakes, std::uint64_t step,
                                                  const std::optional<picture::Mark>& mark) {
  Prepare();
  if (!reference_->training().AreEnough()) return std::nullopt;
  std::optional<nearest::Examination> examination;
  for (std::int64_t first = 0; first < std::int64_t{nearest::kGenerated}; first += quality::Evaluator::kBatch) {
    alive_();
    const torch::Tensor rgb = fakes(first, quality::Evaluator::kBatch);
    if (!examination) examination.emplace(*reference_, static_cast<std::size_t>(rgb.size(1)));
    examination->Add({rgb.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(rgb.numel())});
  }
  // Written also when nothing is reported, because the grid shows more than the number.
  WritePairs(*examination, step, mark);
  return examination->Result();
}

void CopyWatch::WritePairs(const nearest::Examination& examination, std::uint64_t step,
                           const std::optional<picture::Mark>& mark) const {
  const picture::GridImage grid = examination.Pairs();
  try {
    picture::WritePng(folder_.Nearest(step), grid.pixels, grid.width, grid.height, mark);
  } catch (const IoError& error) {
    cli::LogWarning(std::string(error.what()) + "; training continues without the grid of nearest images of step " +
                    std::to_string(step));
  }
}

// Reported once when it begins and once when it ends, because it can last for the rest of a run.
void CopyWatch::Tell(const std::optional<nearest::Copies>& found, std::uint64_t step) {
  if (!found || found->learnt_by_heart == told_) return;
  told_ = found->learnt_by_heart;
  const std::string line = "step " + std::to_string(step) + ": " + nearest::Words(*found);
  if (!told_) return cli::LogInfo(line + ": the generator no longer seems to have learnt its images by heart");
  cli::LogWarning(line + ": the generator has learnt training images by heart. Look at " +
                  folder_.Nearest(step).string() + "; " + kAdvice);
}

}  // namespace gan::run
