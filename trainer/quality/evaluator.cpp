#include "trainer/quality/evaluator.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "trainer/quality/density_coverage.h"
#include "trainer/quality/distances.h"
#include "trainer/quality/ms_ssim.h"
#include "trainer/quality/sliced_wasserstein.h"

namespace gan::quality {

namespace {

// The measures by which a checkpoint can be the best; ms_ssim is none, because neither direction is always better.
const std::map<std::string, bool>& LargerIsBetter() {
  static const std::map<std::string, bool> names = {{"swd", false},    {"frechet", false}, {"kernel", false},
                                                    {"fid", false},    {"kid", false},     {"density", true},
                                                    {"coverage", true}};
  return names;
}

// Measures for which the training images give a useful reference.
// A generator that is as good as the training images reaches these values and not 0, because two finite samples of the
// same images differ too.
const std::set<std::string> kWithFloor = {"swd", "frechet", "coverage"};

// Collects rows batch by batch.
class Rows {
 public:
  void Add(const torch::Tensor& rows) { parts_.push_back(rows.to(torch::kCPU)); }
  torch::Tensor All() const { return torch::cat(parts_); }

 private:
  std::vector<torch::Tensor> parts_;
};

// MS-SSIM between each image and its successor.
// Disjoint pairs: each image counts once, so the pairs are independent.
torch::Tensor OfPairs(const torch::Tensor& images) {
  using torch::indexing::None;
  using torch::indexing::Slice;
  return MsSsim(images.index({Slice(0, None, 2)}), images.index({Slice(1, None, 2)}));
}

}  // namespace

bool IsMeasure(const std::string& name) { return LargerIsBetter().contains(name); }

bool IsBetter(const std::string& name, double value, double than) {
  return LargerIsBetter().at(name) ? value > than : value < than;
}

Evaluator::Evaluator(const EvaluatorOptions& options, ImageSource reals, ImageSource training, torch::Device device)
    : options_(options), reals_(std::move(reals)), training_(std::move(training)), features_(device) {
  if (!options.inception.empty()) inception_.emplace(options.inception, device);
}

Evaluator::Summary Evaluator::Summarise(const ImageSource& images) const {
  torch::NoGradGuard no_grad;
  std::vector<Rows> patches;
  Rows features, inception, similarity;
  for (std::int64_t first = 0; first < options_.count; first += kBatch) {
    const torch::Tensor batch = images(first, std::min(kBatch, options_.count - first));
    // Positions of patches are drawn by the image's number, so the batch size changes nothing.
    const auto levels = LaplacianPatches(batch, options_.seed, static_cast<std::uint64_t>(first));
    patches.resize(levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i) patches[i].Add(levels[i]);
    features.Add(features_(batch));
    if (inception_) inception.Add((*inception_)(batch));
    similarity.Add(OfPairs(batch));
  }
  Summary summary;
  for (const Rows& level : patches) summary.patches.push_back(level.All());
  summary.features = features.All();
  if (inception_) summary.inception = inception.All();
  summary.ms_ssim = similarity.All().sum().item<double>() / static_cast<double>(options_.count / 2);
  return summary;
}

// The real images do not change, so their features are computed once.
void Evaluator::Prepare() {
  if (!real_) {
    real_ = Summarise(reals_);
    // The patches are freed, because only their sorted projections are needed from here on.
    real_projections_ = SortedProjections(std::exchange(real_->patches, {}), options_.seed);
  }
  if (!training_ || !floors_.empty()) return;
  for (const auto& [name, value] : Compare(Summarise(training_)).values) {
    if (kWithFloor.contains(name)) floors_.emplace_back(name + "_floor", value);
  }
}

Measured Evaluator::Measure(const ImageSource& fakes) {
  Prepare();
  Measured measured = Compare(Summarise(fakes));
  measured.values.insert(measured.values.end(), floors_.begin(), floors_.end());
  return measured;
}

Measured Evaluator::Compare(const Summary& fake) const {
  const DensityCoverage near = MeasureDensityCoverage(real_->features, fake.features);
  Measured measured;
  measured.values = {{"swd", SlicedWasserstein(real_projections_, fake.patches, options_.seed)},
                     {"ms_ssim", fake.ms_ssim},
                     {"density", near.density},
                     {"coverage", near.coverage},
                     {"frechet", FrechetDistance(real_->features, fake.features)},
                     {"kernel", KernelDistance(real_->features, fake.features)}};
  if (inception_) {
    measured.values.emplace_back("fid", FrechetDistance(real_->inception, fake.inception));
    measured.values.emplace_back("kid", KernelDistance(real_->inception, fake.inception));
  }
  measured.diversity = 1 - fake.ms_ssim;
  measured.diversity_reference = 1 - real_->ms_ssim;
  return measured;
}

}  // namespace gan::quality
