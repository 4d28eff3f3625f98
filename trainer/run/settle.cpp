#include "trainer/run/settle.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "cli/duration.h"
#include "storage/counted.h"
#include "trainer/host/host_memory.h"
#include "trainer/run/agree.h"
#include "trainer/run/batches.h"
#include "trainer/run/device.h"
#include "trainer/run/dry_run.h"
#include "trainer/run/preset.h"
#include "trainer/run/same_options.h"

namespace gan::run {

namespace {

using nlohmann::json;

double SecondsOf(const std::string& time) {
  return time.empty() ? 0 : std::chrono::duration<double>(cli::ParseDuration(time)).count();
}

// A run that resumes already has its number of steps.
bool NeedsSteps(const TrainOptions& options) { return !options.time.empty() && options.steps == 0; }

PresetFacts FactsOf(const TrainOptions& options, const distributed::World& world, torch::Device device) {
  const data::Dataset dataset(options.shards, options.holdout);
  PresetFacts facts;
  facts.images = dataset.size();
  facts.side = dataset.image_size();
  if (!dataset.manifest().labels.empty()) facts.class_images = dataset.LabelCounts();
  facts.ranks = world.size;
  facts.cores = world.size * torch::get_num_threads();
  facts.on_gpu = device.is_cuda();
  facts.memory_bytes = host::AvailableMemory() / world.local_size;
  facts.seconds = SecondsOf(options.time);
  return facts;
}

json AsJson(const std::vector<Chosen>& chosen) {
  json list = json::array();
  for (const Chosen& one : chosen) list.push_back({{"name", one.name}, {"value", one.value}, {"why", one.why}});
  return list;
}

std::vector<Chosen> ChosenIn(const json& list) {
  std::vector<Chosen> chosen;
  for (const json& one : list) chosen.push_back({one.at("name"), one.at("value"), one.at("why")});
  return chosen;
}

// Rank 0 chooses, because hosts may differ in cores and memory.
void ApplyPreset(TrainOptions& options, const distributed::World& world, torch::Device device,
                 distributed::Communicator& control) {
  json chosen = json::array();
  OnRankZero(control, [&] {
    // The preset paper depends on nothing.
    const bool depends = options.preset == Preset::kAuto;
    chosen = AsJson(Choose(options, depends ? FactsOf(options, world, device) : PresetFacts()));
  });
  Apply(ChosenIn(json::parse(control.Broadcast(chosen.dump()))), options);
}

// A dry run must report that something does not fit, and not be killed by it. The memory of GPUs is not known.
std::string WhyNotMeasured(const TrainOptions& options, const distributed::World& world, torch::Device device,
                           distributed::Communicator& control) {
  if (!options.measure) return "--no-measure";
  std::string why;
  OnRankZero(control, [&] {
    if (!device.is_cpu()) return;
    if (MemoryPerRank(options, world.size) * world.local_size > host::AvailableMemory()) {
      why = "this host has not enough memory for it";
    }
  });
  return control.Broadcast(why);
}

std::string Reason(const std::string& time, const StepTime& measured) {
  char text[160];
  std::snprintf(text, sizeof text, "--time %s at %.4g s per step of %s, measured over %s", time.c_str(),
                measured.seconds, storage::Counted(measured.images, "image").c_str(),
                storage::Counted(measured.steps, "step").c_str());
  return text;
}

void SetSteps(TrainOptions& options, const StepTime& measured) {
  options.steps = StepsIn(options.time, measured.seconds);
  options.chosen.push_back({"steps", options.steps, Reason(options.time, measured)});
}

// Rank 0 counts the held-out images for all. A resumed run without a number of steps is from before auto existed, and
// measured nothing.
void SettleQuality(TrainOptions& options, const distributed::World& world, distributed::Communicator& control) {
  if (options.quality_every != TrainOptions::kAutomatic) return;
  options.quality_every = 0;
  if (options.before && !options.given.contains("quality_every")) return;
  json chosen = json::array();
  OnRankZero(control, [&] {
    const BatchPlan plan = PlanBatches(options, world.size);
    const std::uint64_t images = plan.batch * plan.micro_batches * static_cast<std::uint64_t>(world.size);
    const data::Dataset dataset(options.shards, options.holdout);
    chosen = AsJson({QualityEvery(dataset.holdout_size(), images, UsesGpu(options))});
  });
  options.chosen.push_back(ChosenIn(json::parse(control.Broadcast(chosen.dump()))).at(0));
  options.chosen.back().value.get_to(options.quality_every);
}

}  // namespace

std::uint64_t StepsIn(const std::string& time, double seconds_per_step) {
  return static_cast<std::uint64_t>(std::max(SecondsOf(time) / seconds_per_step, 1.0));
}

std::uint64_t TotalSteps(const TrainOptions& options, const StepTime& measured) {
  if (options.steps > 0) return options.steps;
  const double already = options.before ? static_cast<double>(options.before->images) : 0;
  const double left = std::max(TotalImages(options, measured.training_images) - already, 0.0);
  const std::uint64_t done = options.before ? options.before->step : 0;
  return done + static_cast<std::uint64_t>(std::ceil(left / static_cast<double>(measured.images)));
}

SettledOptions Settle(const TrainOptions& asked, const distributed::World& world) {
  SettledOptions settled{.options = asked, .measured = {}, .why_not_measured = {}};
  TrainOptions& options = settled.options;
  const auto control =
      distributed::Communicator::Create(world, "start", "cpu", std::chrono::seconds(options.comm_timeout_seconds));
  const bool chooses = options.preset != Preset::kNone && !options.before;
  std::optional<torch::Device> device;
  // The trainer prepares the same device again, which changes nothing.
  if (chooses || NeedsSteps(options) || options.dry_run) device = PrepareDevice(options, world).device;
  // Before Validate(), which must see the values that the run will have.
  if (chooses) ApplyPreset(options, world, *device, *control);
  OnAllRanks(*control, [&] {
    Validate(options, world.size);
    if (device) PlanBatches(options, world.size);
  });
  // Ranks with different options would call different collectives below.
  RequireSameOptions(ToJson(options), *control);
  if (options.dry_run) settled.why_not_measured = WhyNotMeasured(options, world, *device, *control);
  if ((options.dry_run || NeedsSteps(options)) && settled.why_not_measured.empty()) {
    settled.measured = MeasureStepTime(options, world, *device, *control);
  }
  if (NeedsSteps(options) && settled.measured) SetSteps(options, *settled.measured);
  // Last, because the number of steps between two measurements follows from the final batch.
  if (!options.dry_run) SettleQuality(options, world, *control);
  return settled;
}

}  // namespace gan::run
