#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/build_facts.h"
#include "cli/main.h"
#include "storage/errors.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/run/samples.h"

namespace {

struct GenerateOptions {
  std::filesystem::path checkpoint;
  std::filesystem::path out = "grid.png";
  std::uint64_t count = 64;
  std::uint64_t seed = 0;
  int threads = 0;
};

// A checkpoint's folder, or the newest checkpoint of a run's.
std::filesystem::path FindCheckpoint(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path / "checkpoints")) return path;
  const auto found = gan::checkpoint::ListCheckpoints(path / "checkpoints");
  if (found.empty()) throw gan::DataError(path, "holds no checkpoint yet");
  return found.front();
}

gan::model::NetworkOptions NetworkOf(const gan::checkpoint::Checkpoint& saved) {
  const auto& options = saved.state.at("options");
  return {.resolution = options.at("resolution"), .features = options.at("features"),
          .noise_dim = options.at("noise_dim")};
}

int Generate(const GenerateOptions& options) {
  if (options.threads > 0) torch::set_num_threads(options.threads);
  const gan::checkpoint::Checkpoint saved = gan::checkpoint::Load(FindCheckpoint(options.checkpoint));
  const gan::model::NetworkOptions network = NetworkOf(saved);
  torch::nn::Sequential generator = gan::model::MakeGenerator(network);
  gan::run::RestoreSome(saved, gan::model::NamedState(*generator, "generator."));
  const torch::Tensor latents =
      gan::run::FixedLatents(options.seed, options.count, network.noise_dim, torch::kCPU);
  gan::run::WriteGrid(options.out, gan::run::Generate(generator, latents));
  return gan::cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Makes a grid of pictures with a trained generator.\n"
               "Example: gan-generate --checkpoint runs/first --out grid.png",
               "gan-generate");
  GenerateOptions options;
  app.add_option("--checkpoint", options.checkpoint, "A checkpoint's folder, or a run folder (its newest)")->required();
  app.add_option("--out", options.out, "PNG file to write")->capture_default_str();
  app.add_option("--count", options.count, "Pictures in the grid")->check(CLI::Range(1, 4096))->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of the latents")->capture_default_str();
  app.add_option("--threads", options.threads, "Threads; 0: all cores")->check(CLI::Range(0, 4096));
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  return gan::cli::RunMain(app, argc, argv, [&] { return Generate(options); });
}
