#include "trainer/run/dry_run.h"

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/progress.h"
#include "storage/counted.h"
#include "trainer/data/loader.h"
#include "trainer/model/cost.h"
#include "trainer/model/networks.h"
#include "trainer/run/classes_of_run.h"
#include "trainer/run/flags_of_run.h"

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

// The cost of a step in units of one forward; a backward costs two, one for the weights and one for the input. D phase:
// forward and backward of D on real and on generated images. G phase: forward of D, its backward to the input, and G's
// backward.
constexpr double kGeneratorPasses = 1 + 2;
constexpr double kDiscriminatorPasses = 2 * (1 + 2) + (1 + 1);

struct Cost {
  BatchPlan batches;
  int ranks = 1;
  model::ForwardCost generator, discriminator;  // per image
  // Per rank:
  double step_flops = 0;
  double state_bytes = 0;  // weights, gradients and moments
  double activation_bytes = 0;
  double exchanged_bytes = 0;  // per step: the gradients of both networks and the buffer for them
  double checkpoint_bytes = 0;

  double images() const { return static_cast<double>(batches.batch) * batches.micro_batches; }
  double memory_bytes() const { return state_bytes + activation_bytes + exchanged_bytes; }
};

// Networks are built for one image; all numbers scale linearly with the batch.
Cost CostOf(const TrainOptions& options, int world_size) {
  model::NetworkOptions network = options.gan.network;
  network.spectral_norm = false;  // costs almost nothing
  // Only the data set knows the number of classes.
  if (options.conditional) {
    network.classes =
        static_cast<std::int64_t>(ClassesOf(options, data::Dataset(options.shards, options.holdout)).size());
  }
  Cost cost;
  cost.ranks = world_size;
  cost.batches = PlanBatches(options, world_size);
  cost.generator = model::CostOf(model::MakeGenerator(network), {1, network.GeneratorInputs(), 1, 1});
  cost.discriminator = model::CostOf(model::MakeDiscriminator(network), {1, 3, network.resolution, network.resolution});
  const model::ForwardCost &g = cost.generator, &d = cost.discriminator;
  const double bytes = options.gan.precision == step::Precision::kFp64 ? 8 : 4;
  const double bytes_of_activation = options.gan.precision == step::Precision::kBf16 ? 2 : bytes;
  const double parameters = static_cast<double>(g.parameters + d.parameters);
  const double averaged = options.gan.ema_half_life_images > 0 ? static_cast<double>(g.parameters) : 0;
  cost.step_flops = cost.images() * (kGeneratorPasses * g.flops + kDiscriminatorPasses * d.flops);
  // Weights, gradients and two moments, and G's average.
  cost.state_bytes = bytes * (4 * parameters + averaged);
  cost.activation_bytes = bytes_of_activation * static_cast<double>(cost.batches.batch) *
                          // Two passes of D, because real and generated images keep their graphs until the one
                          // backward.
                          static_cast<double>(g.activations + 2 * d.activations);
  cost.exchanged_bytes = bytes * parameters;
  // A checkpoint has no gradients.
  cost.checkpoint_bytes = bytes * (3 * parameters + averaged);
  return cost;
}

std::string NetworkLine(const char* name, const model::ForwardCost& cost) {
  return Line("%-24s%llu parameters, %.3f GFLOP per forward pass of one image\n", name,
              static_cast<unsigned long long>(cost.parameters), cost.flops / 1e9);
}

std::string AsText(const Cost& cost) {
  return Line("images per update       %.0f  (%s x %s x %s)\n", cost.images() * cost.ranks,
              storage::Counted(cost.ranks, "rank").c_str(),
              storage::Counted(cost.batches.micro_batches, "micro-batch", "micro-batches").c_str(),
              storage::Counted(cost.batches.batch, "image").c_str()) +
         NetworkLine("generator", cost.generator) + NetworkLine("discriminator", cost.discriminator) +
         Line("operations per step     %.1f GFLOP per rank, %.1f GFLOP in total\n", cost.step_flops / 1e9,
              cost.step_flops * cost.ranks / 1e9) +
         Line("exchanged per step      %.1f MiB per rank (gradients of both networks)\n", cost.exchanged_bytes / kMiB) +
         Line(
             "memory per rank         %.0f MiB: %.0f for weights, gradients and moments, about %.0f for activations,\n"
             "                        %.0f for the exchange; LibTorch itself needs a few hundred more\n",
             cost.memory_bytes() / kMiB, cost.state_bytes / kMiB, cost.activation_bytes / kMiB,
             cost.exchanged_bytes / kMiB) +
         Line("checkpoint              %.0f MiB\n", cost.checkpoint_bytes / kMiB);
}

nlohmann::ordered_json NetworkJson(const model::ForwardCost& cost) {
  return {{"parameters", cost.parameters}, {"forward_flops_per_image", cost.flops}};
}

// gan-launch --check reads memory_bytes_per_rank and checkpoint_bytes.
nlohmann::ordered_json AsJson(const Cost& cost) {
  return {{"images_per_update", cost.images() * cost.ranks},
          {"ranks", cost.ranks},
          {"micro_batches", cost.batches.micro_batches},
          {"batch", cost.batches.batch},
          {"generator", NetworkJson(cost.generator)},
          {"discriminator", NetworkJson(cost.discriminator)},
          {"step_flops_per_rank", cost.step_flops},
          {"exchanged_bytes_per_step_and_rank", cost.exchanged_bytes},
          {"memory_bytes_per_rank", cost.memory_bytes()},
          {"state_bytes_per_rank", cost.state_bytes},
          {"activation_bytes_per_rank", cost.activation_bytes},
          {"checkpoint_bytes", cost.checkpoint_bytes}};
}

// The measured time, and the duration of the run computed from it.
struct Duration {
  StepTime step;
  std::uint64_t total = 0, done = 0;  // steps

  double images_per_second() const { return static_cast<double>(step.images) / step.seconds; }
  std::uint64_t left() const { return total > done ? total - done : 0; }
  double seconds_left() const { return static_cast<double>(left()) * step.seconds; }
};

std::optional<Duration> DurationOf(const SettledOptions& settled) {
  if (!settled.measured) return std::nullopt;
  const TrainOptions& options = settled.options;
  return Duration{.step = *settled.measured,
                  .total = TotalSteps(options, *settled.measured),
                  .done = options.before ? options.before->step : 0};
}

std::string AsText(const Duration& duration) {
  return Line("time per step           %.4g s, %.0f images per second (measured over %s)\n", duration.step.seconds,
              duration.images_per_second(), storage::Counted(duration.step.steps, "step").c_str()) +
         Line("time left               %s for %llu of %s, without grids, checkpoints and measures of quality\n",
              cli::FormatDuration(std::chrono::duration<double>(duration.seconds_left())).c_str(),
              static_cast<unsigned long long>(duration.left()), storage::Counted(duration.total, "step").c_str());
}

std::string ChosenAsText(const std::vector<Chosen>& chosen) {
  std::string lines;
  for (const Chosen& one : chosen) lines += InWords(one) + "\n";
  return lines;
}

void AddTo(nlohmann::ordered_json& told, const SettledOptions& settled) {
  told["chosen"] = nlohmann::ordered_json::array();
  for (const Chosen& one : settled.options.chosen) {
    told["chosen"].push_back({{"option", one.name}, {"value", one.value}, {"why", one.why}});
  }
  const std::optional<Duration> duration = DurationOf(settled);
  told["seconds_per_step"] = nlohmann::ordered_json(nullptr);
  if (duration) told["seconds_per_step"] = duration->step.seconds;
  if (!duration) {
    told["why_not_measured"] = settled.why_not_measured;
    return;
  }
  told["images_per_second"] = duration->images_per_second();
  told["measured_steps"] = duration->step.steps;
  told["steps"] = duration->total;
  told["steps_done"] = duration->done;
  told["seconds_left"] = duration->seconds_left();
}

}  // namespace

double MemoryPerRank(const TrainOptions& options, int world_size) { return CostOf(options, world_size).memory_bytes(); }

std::string DescribeCost(const SettledOptions& settled, int world_size) {
  const Cost cost = CostOf(settled.options, world_size);
  if (settled.options.json) {
    nlohmann::ordered_json told = AsJson(cost);
    AddTo(told, settled);
    return told.dump() + "\n";
  }
  const std::optional<Duration> duration = DurationOf(settled);
  const std::string time =
      duration ? AsText(*duration) : "time per step           not measured: " + settled.why_not_measured + "\n";
  return ChosenAsText(settled.options.chosen) + AsText(cost) + time;
}

}  // namespace gan::run
