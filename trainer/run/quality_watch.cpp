#include "trainer/run/quality_watch.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cli/log.h"
#include "storage/errors.h"
#include "trainer/run/batches.h"
#include "trainer/run/samples.h"

namespace gan::run {

namespace {

constexpr const char* kPassed = "; another held-out picture takes its place";
constexpr std::int64_t kFewest = 12;  // of each kind: density looks at five neighbours

torch::Tensor HeldOut(const data::Dataset& dataset, std::int64_t first, std::int64_t count, std::int64_t resolution,
                      bool replace_corrupt) {
  const auto side = static_cast<std::int64_t>(dataset.image_size());
  torch::Tensor pixels = torch::empty({count, side, side, 3}, torch::kByte);
  auto* out = pixels.data_ptr<std::uint8_t>();
  for (std::int64_t i = first; i < first + count; ++i) {
    const auto number = static_cast<std::uint64_t>(i);
    data::UntilNothingIsLost([&] {
      const std::span<const std::byte> record =
          replace_corrupt
              ? dataset.IntactHoldoutRecord(
                    number, [](const DataError& error) { cli::LogWarning(error.what() + std::string(kPassed)); })
              : dataset.HoldoutRecord(number);
      std::memcpy(out, record.data(), record.size());
    });
    out += 3 * side * side;
  }
  return ToImages(pixels, resolution, torch::kCPU);
}

}  // namespace

QualityWatch::QualityWatch(const TrainOptions& options, std::shared_ptr<const data::Dataset> dataset,
                           torch::Device device, std::shared_ptr<distributed::Communicator> communicator)
    : options_(options), device_(device) {
  if (options.quality_every == 0) return;
  const auto wanted = static_cast<std::int64_t>(std::min(options.quality_images, dataset->holdout_size())) / 2 * 2;
  if (wanted < std::max<std::int64_t>(kFewest, 2 * communicator->size())) {
    throw UsageError("--quality-every needs more held-out pictures than the " +
                     std::to_string(dataset->holdout_size()) + " there are; raise --holdout or --quality-images");
  }
  const std::int64_t resolution = options.gan.network.resolution;
  const bool replace_corrupt = options.corrupt_records == "replace";
  evaluator_.emplace(
      quality::EvaluatorOptions{.count = wanted, .seed = options.seed, .inception = options.inception},
      [dataset, resolution, replace_corrupt](std::int64_t first, std::int64_t count) {
        return HeldOut(*dataset, first, count, resolution, replace_corrupt);
      },
      device, std::move(communicator));
}

std::optional<quality::Measured> QualityWatch::Measure(const step::Gan& gan, std::uint64_t step) {
  if (!evaluator_ || step % options_.quality_every != 0) return std::nullopt;
  torch::nn::Sequential generator = GeneratorForPictures(gan, options_.seed);
  const quality::Measured measured = evaluator_->Measure([&](std::int64_t first, std::int64_t count) {
    return Generate(generator, Latents(options_.seed, data::Stream::kQuality, static_cast<std::uint64_t>(first),
                                       static_cast<std::uint64_t>(count), options_.gan.network.noise_dim, device_))
        .to(torch::kCPU, torch::kFloat);
  });
  Remember(measured, step);
  return measured;
}

void QualityWatch::Remember(const quality::Measured& measured, std::uint64_t step) {
  for (const auto& [name, value] : measured.values) {
    if (name != options_.keep_best || !std::isfinite(value)) continue;
    if (best_step_ && !quality::IsBetter(name, value, best_value_)) continue;
    best_step_ = step;
    best_value_ = value;
  }
}

nlohmann::json QualityWatch::Save() const {
  if (!best_step_) return {{"best_step", nullptr}, {"best_value", nullptr}, {"measure", options_.keep_best}};
  return {{"best_step", *best_step_}, {"best_value", best_value_}, {"measure", options_.keep_best}};
}

void QualityWatch::Restore(const nlohmann::json& state) {
  best_step_.reset();
  // By another measure the old best is no best.
  if (state.at("best_step").is_null() || state.at("measure") != options_.keep_best) return;
  best_step_ = state.at("best_step").get<std::uint64_t>();
  best_value_ = state.at("best_value");
}

}  // namespace gan::run
