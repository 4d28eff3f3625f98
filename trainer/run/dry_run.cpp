#include "trainer/run/dry_run.h"

#include <cstdarg>
#include <cstdio>

#include "trainer/model/cost.h"
#include "trainer/model/networks.h"

namespace gan::run {

namespace {

constexpr double kMiB = 1024.0 * 1024.0;

std::string Line(const char* format, ...) {
  char text[200];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return text;
}

// Passes of a step in units of one forward; a backward costs two (one for the weights, one for the input).
// D phase: D forward and backward on real and on fake. G phase: D forward and backward to its input, G's backward.
constexpr double kGeneratorPasses = 1 + 2;
constexpr double kDiscriminatorPasses = 2 * (1 + 2) + (1 + 1);

}  // namespace

std::string DescribeCost(const TrainOptions& options, int world_size) {
  model::NetworkOptions network = options.gan.network;
  network.spectral_norm = false;  // adds next to nothing
  const BatchPlan batches = PlanBatches(options.batch, options.global_batch, world_size);
  const model::ForwardCost g = model::CostOf(model::MakeGenerator(network), {1, network.noise_dim, 1, 1});
  const model::ForwardCost d =
      model::CostOf(model::MakeDiscriminator(network), {1, 3, network.resolution, network.resolution});
  const double bytes = options.gan.precision == step::Precision::kFp64 ? 8 : 4;
  const double activation_bytes = options.gan.precision == step::Precision::kBf16 ? 2 : bytes;
  const double parameters = static_cast<double>(g.parameters + d.parameters);
  const bool averaged = options.gan.ema_half_life_images > 0;
  const double state = bytes * (4 * parameters + (averaged ? static_cast<double>(g.parameters) : 0));
  const double reduced = bytes * parameters;
  const auto batch = static_cast<double>(batches.batch);
  const double activations = activation_bytes * batch * static_cast<double>(g.activations + 2 * d.activations);
  const double images = batch * batches.micro_batches;
  const double flops = images * (kGeneratorPasses * g.flops + kDiscriminatorPasses * d.flops);
  const double updates = images * world_size;
  return Line("images an update        %.0f  (%d ranks x %u passes x %.0f)\n", updates, world_size,
              batches.micro_batches, batch) +
         Line("generator               %llu parameters, %.3f GFLOP a forward of one image\n",
              static_cast<unsigned long long>(g.parameters), g.flops / 1e9) +
         Line("discriminator           %llu parameters, %.3f GFLOP a forward of one image\n",
              static_cast<unsigned long long>(d.parameters), d.flops / 1e9) +
         Line("operations a step       %.1f GFLOP a rank, %.1f GFLOP in all\n", flops / 1e9, flops * world_size / 1e9) +
         Line("exchanged a step        %.1f MiB a rank (gradients of both networks)\n", reduced / kMiB) +
         Line(
             "memory a rank           %.0f MiB: weights, gradients and moments %.0f, activations about %.0f,\n"
             "                        buffers of the exchange %.0f; LibTorch itself takes a few hundred more\n",
             (state + activations + reduced) / kMiB, state / kMiB, activations / kMiB, reduced / kMiB) +
         Line("a checkpoint            %.0f MiB\n",
              bytes * (3 * parameters + (averaged ? static_cast<double>(g.parameters) : 0)) / kMiB);
}

}  // namespace gan::run
