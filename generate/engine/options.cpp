#include "generate/engine/options.h"

#include "cli/flags.h"
#include "generate/engine/latent_flags.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::generate {

namespace {

constexpr std::size_t kFramesBetween = 24;
constexpr std::uint64_t kStopsOfAWalk = 8;

constexpr cli::Choice<Weights> kWeights[] = {
    {Weights::kAuto, "auto", "the moving average when the checkpoint has one, otherwise the raw weights"},
    {Weights::kEma, "ema", "the moving average of the weights"},
    {Weights::kRaw, "raw", "the weights of the last step"}};

void AddSourceFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "Trained generator";
  app.add_option("--checkpoint", o.checkpoint,
                 "Run folder (its newest checkpoint is used), checkpoint, exported folder or .safetensors file.")
      ->required()
      ->type_name("PATH")
      ->group(group);
  cli::AddChoice(app, "--weights", o.weights, kWeights, "Weights to use.")->group(group);
}

// The default number of latents depends on the number of classes, which only the generator knows (choose.cpp).
void AddPictureFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "Latents";
  app.add_option(
         "--count", o.count,
         "Number of latents. With --interpolate the walk visits each of them, by default 8. With several classes "
         "each class shows every latent, by default 8, or 1 in a walk.")
      ->check(CLI::Range(1, 1'000'000))
      ->group(group)
      ->capture_default_str();
  auto* seed = app.add_option("--seed", o.seed, "Seed of the first image. Image i uses seed + i.");
  seed->group(group)->capture_default_str();
  auto* seeds = app.add_option("--seeds", o.seeds, "List of seeds, one per image, for example 1,5,10-20.");
  seeds->type_name("LIST")->group(group)->excludes(seed);
  app.add_option("--latents", o.latents,
                 "File of latents: .npy or .safetensors, float, shape [N, noise_dim], or a marked .png, .webp or .mp4.")
      ->check(CLI::ExistingFile)
      ->type_name("FILE")
      ->group(group)
      ->excludes(seed)
      ->excludes(seeds);
  app.add_option(
         "--class", o.classes,
         "Classes to generate, by name, of a generator that was trained with --conditional. Default: all. A grid "
         "has one row per class.")
      ->allow_extra_args(false)
      ->type_name("NAME[,NAME]")
      ->group(group);
  app.add_option("--interpolate", o.interpolate,
                 "Number of images from each latent to the next. The walk returns to the first latent.")
      ->check(CLI::Range(1, 10'000))
      ->group(group);
}

void AddOutputFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "Output";
  app.add_option("--out", o.out,
                 "File or folder to write.\n"
                 "FILE.png: a grid of all images.\n"
                 "FILE.webp: an animation.\n"
                 "FILE.mp4: a film, which needs ffmpeg.\n"
                 "FILE.npy: an array, float, shape [N, 3, side, side].\n"
                 "FOLDER: one PNG file per image.\n"
                 "-: a grid as PNG on standard output.\n"
                 "Default: grid.png, unless --export or --onnx is given.")
      ->type_name("PATH")
      ->group(group);
  app.add_option("--columns", o.columns, "Number of columns of the grid. 0 makes the grid square.")
      ->check(CLI::Range(std::size_t{0}, kMostImagesOfACall))
      ->group(group)
      ->capture_default_str();
  app.add_option("--fps", o.frames_per_second, "Frames per second of an animation or a film.")
      ->check(CLI::Range(0.1, 1000.0))
      ->group(group)
      ->capture_default_str();
  app.add_flag("!--no-mark", o.mark, "Do not write into PNG, WebP and MP4 files that they are generated, and how.")
      ->group(group);
  app.add_option("--export", o.export_folder,
                 "Folder to write generator.safetensors (PyTorch's parameter names), config.json and a model card to.")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--onnx", o.onnx, "File to write the generator to as an ONNX model.")->type_name("FILE")->group(group);
}

void AddMachineFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "Machine (the images do not depend on these)";
  app.add_option("--batch", o.batch, "Number of images computed at once.")
      ->check(CLI::Range(1, 65536))
      ->group(group)
      ->capture_default_str();
  app.add_option("--threads", o.threads, "Number of threads. 0 uses all cores.")
      ->check(CLI::Range(0, 4096))
      ->group(group)
      ->capture_default_str();
}

}  // namespace

OutputKind GenerateOptions::kind() const {
  if (out.empty()) return OutputKind::kNone;
  if (out == "-") return OutputKind::kStdout;
  const std::string ending = out.extension().string();
  // An existing folder is a folder even if its name ends like that of a file.
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
  // Recorded here, because only CLI11 knows whether a value is the default.
  options.count_given = app.count("--count") > 0;
  SettleLatentFlags(app, options);
  const OutputKind kind = options.kind();
  const bool moves = kind == OutputKind::kAnimation || kind == OutputKind::kMovie;
  // An animation of unrelated images would only flicker.
  if (moves && options.interpolate == 0) options.interpolate = kFramesBetween;
  if (options.interpolate > 0 && app.count("--count") == 0) options.count = kStopsOfAWalk;
  if (app.count("--count") > 0 && (!options.seeds.empty() || !options.latents.empty())) {
    throw UsageError("--count: not together with --seeds or --latents, which set the number of images");
  }
}

// Checked before the work, so that a mistyped folder does not cost the finished images.
void RequireWritableOutputs(const GenerateOptions& options) {
  const OutputKind kind = options.kind();
  const bool is_file = kind != OutputKind::kNone && kind != OutputKind::kStdout && kind != OutputKind::kFolder;
  if (is_file) storage::RequireWritable("--out", options.out);
  if (!options.onnx.empty()) storage::RequireWritable("--onnx", options.onnx);
  if (!options.directions.empty()) storage::RequireWritable("--directions", options.directions);
}

}  // namespace gan::generate
