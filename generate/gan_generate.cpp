#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>

#include "cli/build_facts.h"
#include "cli/main.h"
#include "generate/engine/choose.h"
#include "generate/engine/generate.h"
#include "generate/export/onnx_file.h"
#include "generate/export/weights_folder.h"
#include "generate/project/project.h"
#include "preprocess/decode/opencv_worker.h"

namespace {

void Generate(const gan::generate::GenerateOptions& options, const gan::project::ProjectOptions& project) {
  const gan::generate::TrainedGenerator trained = gan::generate::LoadReady(options.checkpoint, options.weights);
  if (!options.export_folder.empty()) gan::exporting::WriteWeightsFolder(options.export_folder, trained, options.mark);
  if (!options.onnx.empty()) gan::exporting::WriteOnnx(options.onnx, trained);
  if (!options.directions.empty()) gan::generate::WriteDirections(options, trained.generator);
  if (!project.source.empty()) return gan::project::ProjectPhotographs(options, project, trained);
  gan::generate::WritePictures(options, trained);
}

}  // namespace

int main(int argc, char** argv) {
  gan::preprocess::BecomeOpenCvWorkerWhenAsked(argc, argv);
  CLI::App app(
      "Makes pictures with a trained generator, or hands the generator to other programs.\n"
      "The same seed gives the same picture, bit for bit, whatever the batch and the threads.\n"
      "Examples: gan-generate --checkpoint runs/first --out grid.png\n"
      "          gan-generate --checkpoint runs/first --seeds 1,5,10-20 --out pictures/\n"
      "          gan-generate --checkpoint runs/first --seeds 3-7 --out walk.webp\n"
      "          gan-generate --checkpoint runs/first --export exported/ --onnx generator.onnx",
      "gan-generate");
  gan::generate::GenerateOptions options;
  gan::generate::AddGenerateFlags(app, options);
  gan::project::ProjectOptions project;
  gan::project::AddProjectFlags(app, project);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  return gan::cli::RunMain(app, argc, argv, [&] {
    gan::generate::Settle(app, options);
    gan::project::SettleProjectFlags(app, options, project);
    const int threads = options.threads > 0 ? options.threads : tbb::info::default_concurrency();
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
    tbb::task_arena(threads).execute([&] { Generate(options, project); });
    return gan::cli::kDone;
  });
}
