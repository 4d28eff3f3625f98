// Measures two sets of pictures and leaves pictures, random numbers, features and measures for quality_test.py.
// Usage: quality_dump FOLDER INCEPTION.pt
// With SETS.safetensors it measures each set in there against the one named real, for bench/networks/measures.py, and
// prints the measures, those of the reals against themselves included. Usage: quality_dump FOLDER INCEPTION.pt
// SETS.safetensors
#include <torch/utils.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "checkpoint/safetensors.h"
#include "checkpoint/weights_file.h"
#include "storage/files.h"
#include "trainer/quality/evaluator.h"
#include "trainer/quality/ms_ssim.h"
#include "trainer/quality/sliced_wasserstein.h"
#include "trainer/run/checkpoint_state.h"

namespace {

constexpr std::int64_t kImages = 64;
constexpr std::uint64_t kSeed = 5;

void Write(const std::string& path, const gan::model::NamedTensors& tensors) {
  const gan::run::Snapshot snapshot(tensors);
  gan::storage::AtomicFile file(path);
  file.Append(gan::checkpoint::EncodeHeader(snapshot.views()));
  for (const auto& view : snapshot.views()) {
    if (view.settle) view.settle();
    file.Append(view.data);
  }
  file.Commit();
}

torch::Tensor Pictures(int seed, double noise) {
  torch::manual_seed(seed);
  const torch::Tensor smooth = torch::upsample_bilinear2d(torch::randn({kImages, 3, 5, 5}), {128, 128}, false);
  return torch::tanh(smooth + torch::randn({kImages, 3, 128, 128}) * noise);
}

gan::quality::ImageSource SourceOf(const torch::Tensor& images) {
  return [images](std::int64_t first, std::int64_t count) { return images.narrow(0, first, count); };
}

void MeasureSets(const std::string& file, const std::string& inception) {
  const gan::checkpoint::WeightsFile weights(file);
  std::map<std::string, torch::Tensor> sets;
  for (const auto& [name, view] : weights.tensors()) {
    sets[name] = torch::tensor(gan::checkpoint::ToFloats(view, file)).view(view.shape);
  }
  gan::quality::Evaluator evaluator({.count = sets.at("real").size(0), .seed = kSeed, .inception = inception},
                                    SourceOf(sets.at("real")), {}, torch::kCPU);
  nlohmann::json measured;
  for (const auto& [name, images] : sets) {
    for (const auto& [measure, value] : evaluator.Measure(SourceOf(images)).values) measured[measure][name] = value;
  }
  std::puts(measured.dump().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  torch::set_num_threads(1);
  if (argc > 3) {
    MeasureSets(argv[3], argv[2]);
    return 0;
  }
  const std::string folder = argv[1];
  const torch::Tensor real = Pictures(1, 0.1), fake = Pictures(2, 0.2);
  gan::quality::Evaluator evaluator({.count = kImages, .seed = kSeed, .inception = argv[2]}, SourceOf(real), {},
                                    torch::kCPU);
  nlohmann::json measured;
  for (const auto& [name, value] : evaluator.Measure(SourceOf(fake)).values) measured[name] = value;
  gan::storage::WriteFileAtomically(folder + "/measured.json", measured.dump());
  const gan::quality::RandomFeatures features{torch::kCPU};
  gan::model::NamedTensors tensors = {{"real", real},
                                      {"fake", fake},
                                      {"real_features", features(real)},
                                      {"fake_features", features(fake)},
                                      {"ms_ssim", gan::quality::MsSsim(real, fake)}};
  for (std::int64_t side = 128, level = 0; side >= 16; side /= 2, ++level) {
    tensors.emplace_back("corners." + std::to_string(level), gan::quality::PatchCorners(kSeed, 0, kImages, side));
    tensors.emplace_back("directions." + std::to_string(level),
                         gan::quality::Directions(kSeed, static_cast<std::uint64_t>(level)));
  }
  Write(folder + "/tensors.safetensors", tensors);
  return 0;
}
