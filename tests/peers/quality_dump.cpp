// Measures two sets of pictures and leaves pictures, random numbers, features and measures for quality_test.py.
// Usage: [mpirun -np N] quality_dump FOLDER INCEPTION.pt
#include <torch/torch.h>

#include <nlohmann/json.hpp>
#include <string>

#include "storage/files.h"
#include "trainer/checkpoint/safetensors.h"
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
  for (const auto& view : snapshot.views()) file.Append(view.data);
  file.Commit();
}

torch::Tensor Pictures(int seed, double noise) {
  torch::manual_seed(seed);
  const torch::Tensor smooth = torch::upsample_bilinear2d(torch::randn({kImages, 3, 5, 5}), {128, 128}, false);
  return torch::tanh(smooth + torch::randn({kImages, 3, 128, 128}) * noise);
}

}  // namespace

int main(int argc, char** argv) {
  gan::distributed::Environment environment(&argc, &argv);
  torch::set_num_threads(1);
  const auto communicator = gan::distributed::Communicator::Create(environment.world(), "control");
  const std::string folder = argv[1];
  const torch::Tensor real = Pictures(1, 0.1), fake = Pictures(2, 0.2);
  const auto source = [](const torch::Tensor& images) {
    return [images](std::int64_t first, std::int64_t count) { return images.narrow(0, first, count); };
  };
  gan::quality::Evaluator evaluator({.count = kImages, .seed = kSeed, .inception = argv[2]}, source(real), torch::kCPU,
                                    communicator);
  nlohmann::json measured;
  for (const auto& [name, value] : evaluator.Measure(source(fake)).values) measured[name] = value;
  const std::string ranks = std::to_string(environment.world().size);
  if (environment.world().rank != 0) return 0;
  gan::storage::WriteFileAtomically(folder + "/measured-" + ranks + ".json", measured.dump());
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
