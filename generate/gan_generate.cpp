#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>

#include <algorithm>

#include "cli/build_facts.h"
#include "cli/main.h"
#include "generate/copies/copies.h"
#include "generate/engine/choose.h"
#include "generate/engine/classes.h"
#include "generate/engine/generate.h"
#include "generate/export/onnx_file.h"
#include "generate/export/weights_folder.h"
#include "generate/project/project.h"
#include "storage/errors.h"

namespace {

// The generator that --export and --onnx write; with --class only that class.
gan::generate::TrainedGenerator ToExport(const gan::generate::GenerateOptions& options,
                                         const gan::generate::TrainedGenerator& trained) {
  gan::generate::TrainedGenerator exported = trained;
  if (options.classes.empty()) return exported;
  const auto chosen = gan::generate::ChooseClasses(options.classes, trained.generator);
  if (chosen.size() > 1) throw gan::UsageError("--export and --onnx write one class or, without --class, all");
  exported.generator = gan::generate::OfOneClass(trained.generator, chosen.front());
  return exported;
}

// More than a few threads per core would only take turns, and thousands of them could stop the machine.
int ThreadsFor(int wanted) {
  const int cores = tbb::info::default_concurrency();
  return wanted > 0 ? std::min(wanted, std::max(16, 4 * cores)) : cores;
}

void Generate(const gan::generate::GenerateOptions& options, const gan::project::ProjectOptions& project,
              const std::filesystem::path& nearest) {
  gan::generate::RequireWritableOutputs(options);
  const gan::generate::TrainedGenerator trained = gan::generate::LoadReady(options.checkpoint, options.weights);
  if (!options.export_folder.empty()) {
    gan::exporting::WriteWeightsFolder(options.export_folder, ToExport(options, trained), options.mark);
  }
  if (!options.onnx.empty()) gan::exporting::WriteOnnx(options.onnx, ToExport(options, trained));
  if (!options.directions.empty()) gan::generate::WriteDirections(options, trained.generator);
  if (!project.source.empty()) return gan::project::ProjectPhotographs(options, project, trained);
  if (!nearest.empty()) return gan::copies::WriteNearest(options, trained, nearest);
  gan::generate::WritePictures(options, trained);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Generates images with a trained generator, or exports the generator.\n"
      "A seed gives the same image, bit for bit, whatever the batch and the threads.\n\n"
      "Examples:\n"
      "  $ gan-generate --checkpoint runs/first --out grid.png\n"
      "  $ gan-generate --checkpoint runs/first --seeds 1,5,10-20 --out images/\n"
      "  $ gan-generate --checkpoint runs/first --seeds 3-7 --out walk.webp\n"
      "  $ gan-generate --checkpoint runs/first --export exported/ --onnx g.onnx\n"
      "  $ gan-generate --checkpoint runs/first --nearest shards/ --out nearest.png",
      "gan-generate");
  gan::generate::GenerateOptions options;
  gan::generate::AddGenerateFlags(app, options);
  gan::project::ProjectOptions project;
  gan::project::AddProjectFlags(app, project);
  std::filesystem::path nearest;
  gan::copies::AddNearestFlag(app, nearest);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  return gan::cli::RunMain(app, argc, argv, [&] {
    gan::generate::Settle(app, options);
    gan::project::SettleProjectFlags(app, options, project);
    gan::copies::SettleNearestFlag(app, options, nearest);
    const int threads = ThreadsFor(options.threads);
    // For more threads than cores both are needed: an arena of that size, and a global limit that allows it.
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
    tbb::task_arena(threads).execute([&] { Generate(options, project, nearest); });
    return gan::cli::kDone;
  });
}
