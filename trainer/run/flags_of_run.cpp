#include "trainer/run/flags_of_run.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include "checkpoint/checkpoint.h"
#include "checkpoint/manifest.h"
#include "cli/duration.h"
#include "storage/errors.h"
#include "trainer/run/agree.h"
#include "trainer/run/flags.h"
#include "trainer/run/run_folder.h"

namespace gan::run {

namespace {

using nlohmann::json;

// Flags that apply to one start only: where it finds its files, and actions that it performs once.
const std::set<std::string>& OfOneStart() {
  static const std::set<std::string> names = {"shards",  "out",  "run",     "resume",           "init_from",
                                              "dry_run", "json", "measure", "expect_world_size"};
  return names;
}

constexpr std::array kLengths = {"steps", "images", "epochs", "time"};  // at most one of them is given

bool IsLength(const std::string& name) { return std::ranges::find(kLengths, name) != kLengths.end(); }

json FlagsIn(const checkpoint::Manifest& manifest) {
  if (manifest.state.contains("flags")) return manifest.state.at("flags");
  // An older run stored the batch that a rank ended up with, not the one that the user requested.
  json flags = manifest.state.value("options", json::object());
  for (const char* name : {"batch", "global_batch"}) flags.erase(name);
  return flags;
}

// The facts that a start takes from the checkpoint from which it resumes.
json FactsIn(const checkpoint::Manifest& manifest) {
  const json options = manifest.state.value("options", json::object());
  return {{"flags", FlagsIn(manifest)},
          {"step", manifest.step},
          {"images", manifest.images},
          {"global_batch", options.value("global_batch", std::uint64_t{0})}};
}

// The same facts, from the newest checkpoint; null if there is none.
json ReadFacts(const TrainOptions& options) {
  if (options.resume == "none") return nullptr;
  if (options.resume != "auto") return FactsIn(checkpoint::ReadManifest(options.resume));
  if (options.run.empty()) return nullptr;
  // Only the manifest is read, because the flags are needed before there are networks; resuming checks the parts.
  for (const auto& folder : checkpoint::ListCheckpoints(RunFolder::CheckpointsOf(options.run))) {
    try {
      return FactsIn(checkpoint::ReadManifest(folder));
    } catch (const checkpoint::NewerVersionError&) {
      throw;
    } catch (const DataError&) {  // damaged: resuming will report it and use an older one
    }
  }
  return nullptr;
}

// The steps of a run with the same --time as now, in any spelling; 0 for any other run.
std::uint64_t StepsOfTime(const json& saved, const std::string& time) {
  if (!saved.is_object()) return 0;
  const json before = saved.value("time", json()), steps = saved.value("steps", json());
  if (!before.is_string() || before == "" || !steps.is_number_unsigned()) return 0;
  return cli::ParseDuration(before.get<std::string>()) == cli::ParseDuration(time) ? steps.get<std::uint64_t>() : 0;
}

// The form in which the user would type an option: "--lr-g 0.0002".
std::string AsFlag(std::string name, const json& value) {
  std::ranges::replace(name, '_', '-');
  return "--" + name + " " + (value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

std::string InWords(const Chosen& chosen) { return "chosen " + AsFlag(chosen.name, chosen.value) + ": " + chosen.why; }

bool HasLength(const TrainOptions& options) {
  return std::ranges::any_of(kLengths, [&](const char* name) { return options.given.contains(name); });
}

// Options from a configuration file count as given, too.
std::set<std::string> GivenFlags(const CLI::App& app) {
  std::set<std::string> given;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0) continue;
    for (std::string name : option->get_lnames()) {
      std::ranges::replace(name, '-', '_');
      given.insert(name);
    }
  }
  return given;
}

// A second set of flags on a copy of the options gives access to each option by its name.
TrainOptions WithFlagsOf(const TrainOptions& options, const json& saved) {
  TrainOptions taken = options;
  CLI::App app;
  Flags flags(app);
  AddTrainFlags(flags, taken);
  const bool has_length = HasLength(options);
  const json now = flags.ToJson();
  for (const auto& [name, value] : now.items()) {
    const auto before = saved.find(name);
    if (before == saved.end() || *before == value) continue;
    // A run that was given --steps and resumes with --epochs must not keep both.
    if (options.given.contains(name) || OfOneStart().contains(name) || (has_length && IsLength(name))) continue;
    try {
      flags.Set(name, *before);
    } catch (const std::exception& error) {
      throw UsageError("the run was started with " + AsFlag(name, *before) + ", which this program does not accept (" +
                       error.what() + "); set the flag on the command line");
    }
    taken.from_run.push_back(AsFlag(name, *before));
  }
  if (options.given.contains("time")) {
    taken.steps = StepsOfTime(saved, options.time);
    if (taken.steps > 0) taken.from_run.push_back(AsFlag("steps", taken.steps));
  }
  return taken;
}

// Rank 0 reads the file, so that all ranks get the same flags.
TrainOptions WithFlagsOfRun(const TrainOptions& options, const distributed::World& world) {
  const auto control = distributed::Communicator::Create(world, "flags of the run", "cpu",
                                                         std::chrono::seconds(options.comm_timeout_seconds));
  json saved;
  OnRankZero(*control, [&] { saved = ReadFacts(options); });
  saved = json::parse(control->Broadcast(saved.dump()));
  if (!saved.is_object()) return options;
  TrainOptions taken = WithFlagsOf(options, saved.at("flags"));
  taken.before =
      RunBefore{.step = saved.at("step"), .images = saved.at("images"), .global_batch = saved.at("global_batch")};
  return taken;
}

}  // namespace gan::run
