#include "trainer/run/quality_by_class.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "trainer/model/classes.h"
#include "trainer/run/json_number.h"
#include "trainer/run/record_images.h"
#include "trainer/run/samples.h"
#include "trainer/step/train_step.h"

namespace gan::run {

namespace {

const std::set<std::string> kShown = {"swd", "frechet", "coverage"};

// The held-out images of each class, by their numbers.
std::vector<std::vector<std::uint64_t>> HeldOutOf(const data::Dataset& dataset, std::size_t classes) {
  std::vector<std::vector<std::uint64_t>> numbers(classes);
  for (std::uint64_t i = 0; i < dataset.holdout_size(); ++i) numbers[dataset.HoldoutLabel(i)].push_back(i);
  return numbers;
}

}  // namespace

QualityByClass::QualityByClass(const TrainOptions& options, const std::shared_ptr<const data::Dataset>& dataset,
                               const data::Classes& classes, torch::Device device, const std::function<void()>& alive)
    : options_(options), device_(device), alive_(alive), number_of_classes_(classes.size()) {
  if (classes.empty() || classes.size() > step::kMostWatchedClasses) return;
  const std::int64_t resolution = options.gan.network.resolution;
  auto numbers = HeldOutOf(*dataset, classes.size());
  for (std::uint32_t one = 0; one < classes.size(); ++one) {
    if (numbers[one].size() < kFewest) continue;
    // The measures need pairs of images.
    const auto count = static_cast<std::int64_t>(std::min(options.quality_images, numbers[one].size())) / 2 * 2;
    // A damaged record of a class is replaced by another one of the class.
    const bool replace = options.corrupt_records == "replace";
    auto reals = [alive, dataset, resolution, replace, mine = std::move(numbers[one])](std::int64_t first,
                                                                                       std::int64_t many) {
      alive();
      return ImagesOf(*dataset, first, many, resolution, [&](std::uint64_t i) {
        for (std::size_t tried = 0; replace && tried + 1 < mine.size(); ++tried) {
          try {
            return dataset->HoldoutRecord(mine[(i + tried) % mine.size()]);
          } catch (const DataError&) {  // the measurement over all classes reports it
          }
        }
        return dataset->HoldoutRecord(mine[i]);
      });
    };
    classes_.push_back({classes.all()[one].name, one,
                        std::make_unique<quality::Evaluator>(
                            quality::EvaluatorOptions{.count = count, .seed = options.seed, .inception = {}},
                            std::move(reals), quality::ImageSource(), device)});
  }
}

void QualityByClass::Prepare() {
  for (const OfClass& one : classes_) one.evaluator->Prepare();
}

nlohmann::json QualityByClass::Measure(torch::nn::Sequential& generator) {
  nlohmann::json all = nlohmann::json::object();
  for (const OfClass& one : classes_) {
    const quality::Measured measured = one.evaluator->Measure([&](std::int64_t first, std::int64_t many) {
      alive_();
      const auto count = static_cast<std::uint64_t>(many);
      // All classes get the same latents, so that they differ in nothing else.
      const torch::Tensor latents = Latents(options_.seed, data::Stream::kQuality, static_cast<std::uint64_t>(first),
                                            count, options_.gan.network.noise_dim, device_);
      const torch::Tensor classes =
          model::OneHot(std::vector<std::uint32_t>(count, one.number), number_of_classes_).to(device_);
      return Generate(generator, latents, classes).to(torch::kCPU, torch::kFloat);
    });
    nlohmann::json& numbers = all[one.name];
    for (const auto& [name, value] : measured.values) {
      if (kShown.contains(name)) numbers[name] = JsonNumber(value);
    }
    numbers["diversity"] = JsonNumber(measured.diversity);
    numbers["diversity_reference"] = JsonNumber(measured.diversity_reference);
  }
  return all;
}

}  // namespace gan::run
