#include "trainer/run/generate.h"

#include "storage/errors.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/model/networks.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/run/samples.h"

namespace gan::run {

namespace {

// A checkpoint's folder, or the newest checkpoint of a run's.
std::filesystem::path FindCheckpoint(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path / "checkpoints")) return path;
  const auto found = checkpoint::ListCheckpoints(path / "checkpoints");
  if (found.empty()) throw DataError(path, "holds no checkpoint yet");
  return found.front();
}

model::NetworkOptions NetworkOf(const checkpoint::Checkpoint& saved) {
  const auto& options = saved.state.at("options");
  return {
      .resolution = options.at("resolution"), .features = options.at("features"), .noise_dim = options.at("noise_dim")};
}

}  // namespace

void GenerateGrid(const GenerateOptions& options) {
  if (options.threads > 0) torch::set_num_threads(options.threads);
  const checkpoint::Checkpoint saved = checkpoint::Load(FindCheckpoint(options.checkpoint));
  const model::NetworkOptions network = NetworkOf(saved);
  torch::nn::Sequential generator = model::MakeGenerator(network);
  RestoreSome(saved, model::NamedState(*generator, "generator."));
  const torch::Tensor latents = FixedLatents(options.seed, options.count, network.noise_dim, torch::kCPU);
  WriteGrid(options.out, Generate(generator, latents));
}

}  // namespace gan::run
