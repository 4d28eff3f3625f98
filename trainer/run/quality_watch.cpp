#include "trainer/run/quality_watch.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/log.h"
#include "storage/errors.h"
#include "trainer/data/sampler.h"
#include "trainer/run/agree.h"
#include "trainer/run/batches.h"
#include "trainer/run/record_images.h"
#include "trainer/run/samples.h"

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

}  // namespace

// The evaluator calls back for images, so that only one batch is in memory at a time.
QualityWatch::QualityWatch(const TrainOptions& options, std::shared_ptr<const data::Dataset> dataset,
                           const RunFolder& folder, torch::Device device,
                           std::shared_ptr<distributed::Communicator> communicator, std::function<void(Section)> enter)
    : options_(options),
      device_(device),
      communicator_(std::move(communicator)),
      enter_(std::move(enter)),
      best_(options.keep_best, options.patience) {
  if (options.quality_every == 0) return;
  const auto wanted = static_cast<std::int64_t>(std::min(options.quality_images, dataset->holdout_size())) / 2 * 2;
  // The measures need pairs of images, and every rank needs at least one pair.
  if (wanted < std::max<std::int64_t>(kFewest, 2 * communicator_->size())) {
    throw UsageError("--quality-every needs more held-out images than the " + std::to_string(dataset->holdout_size()) +
                     "  available; raise --holdout or --quality-images");
  }
  const std::int64_t resolution = options.gan.network.resolution;
  const bool replace_corrupt = options.corrupt_records == "replace";
  evaluator_.emplace(
      quality::EvaluatorOptions{.count = wanted, .seed = options.seed, .inception = options.inception},
      [this, dataset, resolution, replace_corrupt](std::int64_t first, std::int64_t count) {
        enter_(Section::kEvaluate);
        return HeldOut(*dataset, first, count, resolution, replace_corrupt);
      },
      [this, dataset, resolution](std::int64_t first, std::int64_t count) {
        enter_(Section::kEvaluate);
        return Learnt(*dataset, first, count, resolution);
      },
      device, communicator_);
  copies_.emplace(std::move(dataset), options.flip, folder, [this] { enter_(Section::kEvaluate); });
}

// Signs of life come from the image sources, because a measurement can take minutes.
std::optional<quality::Measured> QualityWatch::Measure(const step::Gan& gan, std::uint64_t step, std::uint64_t images) {
  if (!evaluator_ || step % options_.quality_every != 0) return std::nullopt;
  enter_(Section::kEvaluate);
  torch::nn::Sequential generator = GeneratorForPictures(gan, options_.seed);
  const quality::ImageSource fakes = [&](std::int64_t first, std::int64_t count) {
    enter_(Section::kEvaluate);
    const auto begin = static_cast<std::uint64_t>(first), many = static_cast<std::uint64_t>(count);
    return Generate(
               generator,
               Latents(options_.seed, data::Stream::kQuality, begin, many, options_.gan.network.noise_dim, device_),
               DrawClasses(gan.classes, options_.seed, data::Stream::kQuality, begin, many, device_))
        .to(torch::kCPU, torch::kFloat);
  };
  quality::Measured measured = evaluator_->Measure(fakes);
  const CopyWatch::Values copies = MeasureCopies(fakes, generator, step);
  measured.values.insert(measured.values.end(), copies.begin(), copies.end());
  measured = OfRankZero(std::move(measured), *communicator_);
  enter_(Section::kStep);
  best_.Take(measured.values, step, images);
  return measured;
}

// Rank 0 alone compares the images, because that costs little beside making them. The grid shows real images as well.
CopyWatch::Values QualityWatch::MeasureCopies(const quality::ImageSource& fakes, torch::nn::Sequential& generator,
                                              std::uint64_t step) {
  CopyWatch::Values values = ValuesOf({});
  OnRankZero(*communicator_, [&] {
    std::optional<picture::Mark> mark;
    if (options_.mark) {
      mark = MarkOf(generator, step, options_.seed);
      mark->source_type = picture::kCompositeSynthetic;
      mark->prompt = "generated images beside the nearest training images, at step " + std::to_string(step);
    }
    values = copies_->Measure(fakes, step, mark);
  });
  return values;
}

quality::Measured OfRankZero(quality::Measured measured, distributed::Communicator& communicator) {
  std::vector<double> numbers = {measured.diversity, measured.diversity_reference};
  for (const auto& [name, value] : measured.values) numbers.push_back(value);
  torch::Tensor packed = torch::tensor(numbers, torch::kDouble);
  communicator.Broadcast(packed);
  const double* values = packed.const_data_ptr<double>();
  measured.diversity = values[0];
  measured.diversity_reference = values[1];
  for (std::size_t i = 0; i < measured.values.size(); ++i) measured.values[i].second = values[i + 2];
  return measured;
}

std::optional<std::uint64_t> QualityWatch::best_step() const {
  return best_.best() ? std::optional(best_.best()->step) : std::nullopt;
}

}  // namespace gan::run
