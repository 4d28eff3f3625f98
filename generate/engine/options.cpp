#include "generate/engine/options.h"

#include <map>

#include "generate/engine/latent_flags.h"
#include "storage/errors.h"

namespace gan::generate {

namespace {

constexpr std::size_t kFramesBetween = 24;
constexpr std::uint64_t kStopsOfAWalk = 8;

void AddSourceFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "What was trained";
  const std::map<std::string, Weights> names = {
      {"auto", Weights::kAuto}, {"ema", Weights::kEma}, {"raw", Weights::kRaw}};
  app.add_option("--checkpoint", o.checkpoint,
                 "A run folder (its newest checkpoint), a checkpoint, an exported folder, or a .safetensors file")
      ->required()
      ->group(group);
  app.add_option("--weights", o.weights,
                 "The moving average, the weights as they are, or the average where there is one")
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case).description("{auto,ema,raw}"))
      ->default_str("auto")
      ->group(group);
}

void AddPictureFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "Which pictures";
  app.add_option("--count", o.count, "Pictures; with --interpolate the stops on the way (then 8)")
      ->check(CLI::Range(1, 1'000'000))
      ->group(group)
      ->capture_default_str();
  auto* seed = app.add_option("--seed", o.seed, "Seed of the first picture; every further one has the next seed");
  seed->group(group)->capture_default_str();
  auto* seeds = app.add_option("--seeds", o.seeds, "These seeds: 1,5,10-20")->group(group)->excludes(seed);
  app.add_option("--latents", o.latents,
                 "These latents: .npy or .safetensors, float [N, noise_dim]; or those of a marked .png, .webp or .mp4")
      ->check(CLI::ExistingFile)
      ->group(group)
      ->excludes(seed)
      ->excludes(seeds);
  app.add_option("--interpolate", o.interpolate,
                 "Pictures on the way from each latent to the next, and back to the first")
      ->check(CLI::Range(1, 10'000))
      ->group(group);
}

void AddOutputFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "What to write";
  app.add_option("--out", o.out,
                 "FILE.png: a grid; FILE.webp: an animation; FILE.mp4: a film (needs ffmpeg); FILE.npy: float [N, 3, "
                 "side, side]; a folder: one PNG each; "
                 "-: a PNG grid on stdout [grid.png]")
      ->group(group);
  app.add_option("--columns", o.columns, "Columns of a grid; 0: as many as rows")->group(group)->capture_default_str();
  app.add_option("--fps", o.frames_per_second, "Frames a second of an animation")
      ->check(CLI::Range(0.1, 1000.0))
      ->group(group)
      ->capture_default_str();
  app.add_flag("!--no-mark", o.mark, "Do not write into PNG, WebP and MP4 files that they are generated, and how.")
      ->group(group);
  app.add_option("--export", o.export_folder,
                 "Folder for generator.safetensors with PyTorch's names, config.json and a model card")
      ->group(group);
  app.add_option("--onnx", o.onnx, "File for the generator as an ONNX model")->group(group);
}

void AddMachineFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "Machine (no picture depends on it)";
  app.add_option("--batch", o.batch, "Pictures computed at a time")
      ->check(CLI::Range(1, 65536))
      ->group(group)
      ->capture_default_str();
  app.add_option("--threads", o.threads, "Threads; 0: all cores")
      ->check(CLI::Range(0, 4096))
      ->group(group)
      ->capture_default_str();
}

}  // namespace

OutputKind GenerateOptions::kind() const {
  if (out.empty()) return OutputKind::kNone;
  if (out == "-") return OutputKind::kStdout;
  const std::string ending = out.extension().string();
  if (std::filesystem::is_directory(out) || ending.empty()) return OutputKind::kFolder;
  if (ending == ".png") return OutputKind::kGrid;
  if (ending == ".webp") return OutputKind::kAnimation;
  if (ending == ".mp4") return OutputKind::kMovie;
  if (ending == ".npy") return OutputKind::kArray;
  throw UsageError("--out " + out.string() + ": must end in .png, .webp, .mp4 or .npy, be a folder, or be -");
}

void AddGenerateFlags(CLI::App& app, GenerateOptions& options) {
  AddSourceFlags(app, options);
  AddPictureFlags(app, options);
  AddLatentFlags(app, options);
  AddOutputFlags(app, options);
  AddMachineFlags(app, options);
}

void Settle(const CLI::App& app, GenerateOptions& options) {
  if (options.out.empty() && options.export_folder.empty() && options.onnx.empty() && options.directions.empty()) {
    options.out = "grid.png";
  }
  SettleLatentFlags(app, options);
  const OutputKind kind = options.kind();
  const bool moves = kind == OutputKind::kAnimation || kind == OutputKind::kMovie;
  if (moves && options.interpolate == 0) options.interpolate = kFramesBetween;
  if (options.interpolate > 0 && app.count("--count") == 0) options.count = kStopsOfAWalk;
  if (app.count("--count") > 0 && (!options.seeds.empty() || !options.latents.empty())) {
    throw UsageError("--count: --seeds and --latents say themselves how many pictures there are");
  }
}

}  // namespace gan::generate
