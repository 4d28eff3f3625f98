#include "cli/build_facts.h"
#include "cli/main.h"
#include "trainer/run/generate.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Makes a grid of pictures with a trained generator.\n"
      "Example: gan-generate --checkpoint runs/first --out grid.png",
      "gan-generate");
  gan::run::GenerateOptions options;
  app.add_option("--checkpoint", options.checkpoint, "A checkpoint's folder, or a run folder (its newest)")->required();
  app.add_option("--out", options.out, "PNG file to write")->capture_default_str();
  app.add_option("--count", options.count, "Pictures in the grid")->check(CLI::Range(1, 4096))->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of the latents")->capture_default_str();
  app.add_option("--threads", options.threads, "Threads; 0: all cores")->check(CLI::Range(0, 4096));
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  return gan::cli::RunMain(app, argc, argv, [&] {
    gan::run::GenerateGrid(options);
    return gan::cli::kDone;
  });
}
