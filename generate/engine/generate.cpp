#include "generate/engine/generate.h"

#include <tbb/parallel_for.h>

#include <algorithm>

#include "cli/progress.h"
#include "generate/engine/choose.h"
#include "generate/engine/classes.h"
#include "generate/engine/marker.h"
#include "generate/engine/sink.h"
#include "storage/errors.h"

namespace gan::generate {

namespace {

constexpr std::size_t kStatisticsLatents = 128;  // as in training (trainer/run/samples.cpp)
constexpr std::size_t kStatisticsBatch = 64;

// steps: from each stop of a walk to the next; 0: no walk.
void RequireFewEnough(std::size_t stops, std::size_t steps) {
  // Divided, because the product could overflow.
  if (stops <= kMostImagesOfACall / std::max<std::size_t>(1, steps)) return;
  throw UsageError(std::to_string(stops) + " latents" +
                   (steps > 0 ? " with --interpolate " + std::to_string(steps) : std::string()) +
                   " are more than a million images");
}

void RunInBatches(Engine& engine, const Latents& latents, std::size_t batch, Sink& sink) {
  cli::ProgressBar bar("generate", latents.count());
  for (std::size_t done = 0; done < latents.count();) {
    const std::size_t now = std::min(batch, latents.count() - done);
    sink.Add(engine.Run(InputsOf(latents, done, now)));
    bar.Update(done += now);
  }
}

}  // namespace

TrainedGenerator LoadReady(const std::filesystem::path& path, Weights weights) {
  TrainedGenerator trained = Load(path, weights);
  if (trained.statistics_measured) return trained;
  Latents latents = ForStatistics(trained.seed(), kStatisticsLatents, trained.generator.noise_dim());
  for (std::size_t i = 0; !trained.training_classes.empty() && i < kStatisticsLatents; ++i) {
    const auto row =
        trained.generator.classes->Row(trained.training_classes.Draw(trained.seed(), data::Stream::kStatistics, i));
    latents.embeddings.insert(latents.embeddings.end(), row.begin(), row.end());
  }
  // Uses the latents and batches of training, so that the images equal those of the training's grids up to rounding.
  ReestimateStatistics(trained.generator, InputsOf(latents, 0, kStatisticsLatents), kStatisticsBatch);
  trained.statistics_measured = true;
  return trained;
}

std::vector<std::uint8_t> ToRgb(std::span<const float> pictures, std::size_t side) {
  const std::size_t pixels = side * side;
  std::vector<std::uint8_t> rgb(pictures.size());
  tbb::parallel_for(std::size_t{0}, pictures.size() / (3 * pixels), [&](std::size_t image) {
    const float* planes = pictures.data() + image * 3 * pixels;
    std::uint8_t* out = rgb.data() + image * 3 * pixels;
    for (std::size_t i = 0; i < 3 * pixels; ++i) {
      const float level = (planes[i % 3 * pixels + i / 3] + 1) * 127.5F + 0.5F;
      // Clamped before the conversion, because converting a float outside of the type's range is undefined behaviour.
      out[i] = static_cast<std::uint8_t>(std::clamp(level, 0.0F, 255.0F));
    }
  });
  return rgb;
}

std::vector<std::uint8_t> SamplePictures(Engine& engine, const Latents& latents) {
  return ToRgb(engine.Run(InputsOf(latents, 0, latents.count())), engine.side());
}

void WritePictures(const GenerateOptions& options, const TrainedGenerator& trained) {
  if (options.kind() == OutputKind::kNone) return;
  const Chosen chosen = Choose(options, trained.generator);
  RequireFewEnough(chosen.latents.count() * std::max<std::size_t>(1, chosen.classes.size()), options.interpolate);
  const Latents stops = WithEachClass(chosen.latents, chosen.classes, trained.generator);
  const Latents latents = options.interpolate > 0 ? Walk(stops, options.interpolate) : stops;
  GenerateOptions settled = options;
  // The grid has one row per class.
  if (chosen.classes.size() > 1 && options.columns == 0) settled.columns = chosen.latents.count();
  const Marker marker(settled, trained, chosen, latents);
  Engine engine(trained.generator);
  const std::unique_ptr<Sink> sink = OpenSink(
      settled, latents, trained.generator.classes ? trained.generator.classes->names : std::vector<std::string>(),
      marker, engine.side());
  RunInBatches(engine, latents, options.batch, *sink);
  sink->Finish();
}

}  // namespace gan::generate
