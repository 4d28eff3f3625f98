#include "trainer/run/quality_work.h"

#include <algorithm>
#include <map>
#include <string>

#include "cli/log.h"
#include "storage/errors.h"
#include "trainer/data/sampler.h"
#include "trainer/run/batches.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/run/record_images.h"
#include "trainer/run/samples.h"
#include "trainer/step/device_work.h"

namespace gan::run {

namespace {

constexpr const char* kPassed = "; another held-out image is used instead";
constexpr std::uint64_t kFloorSeed = 0;
constexpr std::int64_t kFewest = 12;  // per kind; density needs five neighbours of each image

// Training images in a random order, because records are sorted by file name and thus often by class.
torch::Tensor Learnt(const data::Dataset& dataset, std::int64_t first, std::int64_t count, std::int64_t resolution) {
  return ImagesOf(dataset, first, count, resolution, [&](std::uint64_t i) {
    return dataset.IntactRecord(data::SampleAt(i, dataset.size(), kFloorSeed),
                                [](const DataError&) {});  // the loader reports damaged records
  });
}

// Damaged held-out records are handled like those of training.
torch::Tensor HeldOut(const data::Dataset& dataset, std::int64_t first, std::int64_t count, std::int64_t resolution,
                      bool replace_corrupt) {
  return ImagesOf(dataset, first, count, resolution, [&](std::uint64_t i) {
    if (!replace_corrupt) return dataset.HoldoutRecord(i);
    return dataset.IntactHoldoutRecord(
        i, [](const DataError& error) { cli::LogWarning(error.what() + std::string(kPassed)); });
  });
}

// An even number, because the measures need pairs of images.
std::int64_t CountOf(const TrainOptions& options, const data::Dataset& dataset) {
  const auto count = static_cast<std::int64_t>(std::min(options.quality_images, dataset.holdout_size())) / 2 * 2;
  if (count >= kFewest) return count;
  throw UsageError("--quality-every needs more held-out images than the " + std::to_string(dataset.holdout_size()) +
                   " available; raise --holdout or --quality-images");
}

}  // namespace

QualityWork::QualityWork(const TrainOptions& options, const std::shared_ptr<const data::Dataset>& dataset,
                         const data::Classes& classes, const RunFolder& folder, torch::Device device)
    : options_(options), classes_(classes), device_(device) {
  const std::int64_t resolution = options.gan.network.resolution;
  const bool replace_corrupt = options.corrupt_records == "replace";
  const std::function<void()> alive = [this] { aside_.Alive(); };
  evaluator_.emplace(
      quality::EvaluatorOptions{
          .count = CountOf(options, *dataset), .seed = options.seed, .inception = options.inception},
      [alive, dataset, resolution, replace_corrupt](std::int64_t first, std::int64_t count) {
        alive();
        return HeldOut(*dataset, first, count, resolution, replace_corrupt);
      },
      [alive, dataset, resolution](std::int64_t first, std::int64_t count) {
        alive();
        return Learnt(*dataset, first, count, resolution);
      },
      device);
  copies_.emplace(dataset, options.flip, folder, alive);
  by_class_.emplace(options, dataset, classes, device, alive);
}

void QualityWork::Prepare() {
  if (prepared_) return;
  prepared_ = true;
  aside_.Start([this] {
    evaluator_->Prepare();
    copies_->Prepare();
    by_class_->Prepare();
  });
}

void QualityWork::Begin(const step::Gan& gan, std::uint64_t step) {
  if (generator_.is_empty()) generator_ = GeneratorLike(gan);
  CopyWeightsForPictures(gan, generator_);
  // The copy is asynchronous on a GPU, and the work uses another stream.
  if (!device_.is_cpu()) step::CurrentStream(device_).synchronize();
  Start(step);
}

// The names are those of step::Gan.
void QualityWork::Begin(const checkpoint::Checkpoint& saved, const step::Gan& like) {
  if (generator_.is_empty()) generator_ = GeneratorLike(like);
  RestoreSome(saved, model::NamedState(*generator_, "generator."));
  if (like.ema.active()) {
    model::NamedTensors averaged;
    for (const auto& item : generator_->named_parameters())
      averaged.emplace_back("generator_ema." + item.key(), item.value());
    RestoreSome(saved, averaged);
  }
  Start(saved.step);
}

void QualityWork::Start(std::uint64_t step) {
  aside_.Start([this, step] { result_ = Measure(step); });
}

Measurement QualityWork::Finish() {
  aside_.Finish();
  copies_->Tell(found_, result_.step);
  return std::move(result_);
}

// Runs on the thread. The bytes of the first images are kept, because the measured images are also examined for copies.
Measurement QualityWork::Measure(std::uint64_t step) {
  constexpr auto kStream = data::Stream::kQuality;
  constexpr auto kAtOnce = static_cast<std::uint64_t>(quality::Evaluator::kBatch);
  torch::NoGradGuard no_grad;
  aside_.Alive();
  const std::int64_t noise_dim = options_.gan.network.noise_dim;
  // On this thread and not in Begin(), because training would wait for it there.
  if (options_.gan.ema_half_life_images > 0) FitStatistics(generator_, classes_, noise_dim, options_.seed);
  std::map<std::int64_t, torch::Tensor> bytes;
  const quality::ImageSource fakes = [&](std::int64_t first, std::int64_t count) {
    aside_.Alive();
    const auto begin = static_cast<std::uint64_t>(first);
    const torch::Tensor images =
        // Always whole batches, because the search for copies needs the bytes of all their images.
        Generate(generator_, Latents(options_.seed, kStream, begin, kAtOnce, noise_dim, device_),
                 DrawClasses(classes_, options_.seed, kStream, begin, kAtOnce, device_))
            .to(torch::kCPU, torch::kFloat);
    if (begin < nearest::kGenerated) bytes[first] = ToBytes(images);
    return images.narrow(0, 0, count);
  };
  Measurement measured;
  measured.step = step;
  measured.values = evaluator_->Measure(fakes).values;
  const auto bytes_of = [&](std::int64_t first, std::int64_t count) {
    if (!bytes.contains(first)) fakes(first, count);
    return bytes.at(first);
  };
  found_ = copies_->Measure(bytes_of, step, MarkOfPairs(step));
  const CopyWatch::Values copies = ValuesOf(found_);
  measured.values.insert(measured.values.end(), copies.begin(), copies.end());
  measured.by_class = by_class_->Measure(generator_);
  return measured;
}

// The grid shows real images as well.
std::optional<picture::Mark> QualityWork::MarkOfPairs(std::uint64_t step) {
  if (!options_.mark) return std::nullopt;
  picture::Mark mark = MarkOf(generator_, step, options_.seed);
  mark.source_type = picture::kCompositeSynthetic;
  mark.prompt = "generated images beside the nearest training images, at step " + std::to_string(step);
  return mark;
}

}  // namespace gan::run
