#include "trainer/run/flags_of_run.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include "checkpoint/checkpoint.h"
#include "checkpoint/manifest.h"
#include "storage/errors.h"
#include "trainer/run/agree.h"
#include "trainer/run/flags.h"
#include "trainer/run/run_folder.h"

namespace gan::run {

namespace {

using nlohmann::json;

// Flags that apply to one start only: where it finds its files, and actions that it performs once.
const std::set<std::string>& OfOneStart() {
  static const std::set<std::string> names = {"shards",    "out",     "run",  "resume",
                                              "init_from", "dry_run", "json", "expect_world_size"};
  return names;
}

constexpr std::array kLengths = {"steps", "images", "epochs"};  // at most one of them is given

bool IsLength(const std::string& name) { return std::ranges::find(kLengths, name) != kLengths.end(); }

json FlagsIn(const checkpoint::Manifest& manifest) {
  if (manifest.state.contains("flags")) return manifest.state.at("flags");
  // An older run stored the batch that a rank ended up with, not the one that the user requested.
  json flags = manifest.state.value("options", json::object());
  for (const char* name : {"batch", "global_batch"}) flags.erase(name);
  return flags;
}

// The flags in the checkpoint from which the run will resume; null if there is none.
json ReadFlags(const TrainOptions& options) {
  if (options.resume == "none") return nullptr;
  if (options.resume != "auto") return FlagsIn(checkpoint::ReadManifest(options.resume));
  if (options.run.empty()) return nullptr;
  for (const auto& folder : checkpoint::ListCheckpoints(RunFolder::CheckpointsOf(options.run))) {
    try {
      return FlagsIn(checkpoint::ReadManifest(folder));
    } catch (const checkpoint::NewerVersionError&) {
      throw;
    } catch (const DataError&) {  // damaged: resuming will report it and use an older one
    }
  }
  return nullptr;
}

// The form in which the user would type the flag.
std::string AsFlag(std::string name, const json& value) {
  std::ranges::replace(name, '_', '-');
  return "--" + name + " " + (value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

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
  const bool has_length = std::ranges::any_of(kLengths, [&](const char* name) { return options.given.contains(name); });
  const json now = flags.ToJson();
  for (const auto& [name, value] : now.items()) {
    const auto before = saved.find(name);
    if (before == saved.end() || *before == value) continue;
    if (options.given.contains(name) || OfOneStart().contains(name) || (has_length && IsLength(name))) continue;
    try {
      flags.Set(name, *before);
    } catch (const std::exception& error) {
      throw UsageError("the run was started with " + AsFlag(name, *before) + ", which this program does not accept (" +
                       error.what() + "); set the flag on the command line");
    }
    taken.from_run.push_back(AsFlag(name, *before));
  }
  return taken;
}

// Rank 0 reads the file, so that all ranks get the same flags.
TrainOptions WithFlagsOfRun(const TrainOptions& options, const distributed::World& world) {
  const auto control = distributed::Communicator::Create(world, "flags of the run", "cpu",
                                                         std::chrono::seconds(options.comm_timeout_seconds));
  json saved;
  OnRankZero(*control, [&] { saved = ReadFlags(options); });
  saved = json::parse(control->Broadcast(saved.dump()));
  return saved.is_object() ? WithFlagsOf(options, saved) : options;
}

}  // namespace gan::run
