#include "preprocess/pipeline/plan.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "preprocess/inputs/content_sample.h"
#include "preprocess/pipeline/same_inputs.h"
#include "shard/shard_format.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// The members of a plan that may differ between the first inputs and those that --append adds.
constexpr std::array kOfTheInputs = {"inputs", "inputs_digest", kInputsSample, "dedupe"};

// The part of a plan that names its inputs.
json Batch(const json& plan) {
  json batch = json::object();
  for (const char* name : kOfTheInputs) batch[name] = plan.value(name, json());
  return batch;
}

// The part that all inputs share, whenever they were added.
json Common(json plan) {
  for (const char* name : kOfTheInputs) plan.erase(name);
  plan.erase("appended");
  return plan;
}

// Whether one of the batches in `done` is `batch`.
template <typename Same>
bool Holds(const json& done, const json& batch, const Same& same) {
  if (same(Batch(done), batch)) return true;
  if (!done.contains("appended")) return false;
  const json& appended = done.at("appended");
  return std::any_of(appended.begin(), appended.end(), [&](const json& added) { return same(Batch(added), batch); });
}

// The version of the rules that decide which files are inputs and which pixels they have.
constexpr int kRules = 2;

// The crop in the words of --crop.
std::string CropWords(const PreprocessOptions& options) {
  if (options.decode.min_kept > 0) return "none-below " + std::to_string(options.decode.min_kept);
  return options.crop == Crop::kTop ? "top" : "center";
}

bool IsFinished(const fs::path& output) { return fs::exists(output / shard::kManifestName); }

}  // namespace

json PlanOf(const PreprocessOptions& o, const SourceList& sources) {
  json plan = {{"rules", kRules},
               {"size", o.size},
               {"filter", Name(o.filter)},
               {"decode", Name(o.mode)},
               {"background", o.decode.background},
               {"crop", CropWords(o)},
               {"min_side", o.decode.min_side},
               {"exif", o.decode.apply_exif ? "apply" : "ignore"},
               {"max_pixels", o.decode.max_pixels},
               {"labels", Name(o.labels.mode)},
               {"images_per_shard", o.images_per_shard},
               {"dedupe", o.dedupe ? "exact" : "off"},
               {"inputs", sources.size()},
               {"inputs_digest", sources.Digest()},
               {kInputsSample, SampleOf(sources)}};
  if (!o.labels.column.empty()) plan["label_column"] = o.labels.column;
  return plan;
}

void RequireSameRules(const PreprocessOptions& options, const json& begun) {
  if (begun.is_null() || (begun.is_object() && begun.value("rules", json()) == kRules)) return;
  throw UsageError(options.output.string() +
                   " was begun by another version of gan-preprocess, which takes other files for inputs; it can be "
                   "trained from, but not be continued: choose another --out");
}

bool IsLatest(const json& begun, const json& plan) {
  const json batch = Batch(begun.contains("appended") ? begun.at("appended").back() : begun);
  return SameInputs(batch, Batch(plan));
}

std::optional<shard::Manifest> FindComplete(const PreprocessOptions& options, const json& plan) {
  if (!IsFinished(options.output)) return std::nullopt;
  shard::Manifest manifest = shard::ReadManifest(options.output);
  RequireSameRules(options, manifest.options);
  const std::string name = options.output.string() + " is a finished data set made with other ";
  const json common = Common(manifest.options);
  // Differences in options are reported before differences in inputs, because --append helps only with the latter.
  if (common != Common(plan)) throw UsageError(name + Differences(common, Common(plan)) + "; choose another --out");
  if (Holds(manifest.options, Batch(plan), SameInputs)) return manifest;
  if (!options.append) {
    throw UsageError(name + Differences(manifest.options, plan) + "; --append adds to it, or choose another --out");
  }
  return std::nullopt;
}

json ExtendedPlan(const PreprocessOptions& options, const json& plan) {
  if (!IsFinished(options.output)) return plan;
  const shard::Manifest before = shard::ReadManifest(options.output);
  json extended = before.options;
  json batch = Batch(plan);
  batch["first_shard"] = before.shards.size();
  extended["appended"].push_back(batch);
  return extended;
}

std::string RepeatedNamesNote(const Place& place) {
  if (!place.before || !Holds(place.before->options, Batch(place.plan.at("appended").back()), SameNames)) return "";
  return "the data set had inputs of the same names and sizes with other contents: those stay, and these were added";
}

Place FindPlace(const PreprocessOptions& options, const json& plan, const SourceList& sources) {
  Place place{.plan = plan, .before = std::nullopt, .first_shard = 0, .first_input = 0, .labels = {}};
  if (plan.contains("appended")) {
    place.before = shard::ReadManifest(options.output);
    place.first_shard = static_cast<std::uint32_t>(place.before->shards.size());
    place.first_input = place.before->inputs;
    place.labels = place.before->labels;
  }
  std::vector<std::string> names = sources.LabelNames();
  // In a labelled data set, inputs without a label get the empty name as their label.
  if (names.empty() && !place.labels.empty()) names = {""};
  // The records of a data set without labels have the number 0, which therefore becomes the empty name.
  if (place.before && place.labels.empty() && !names.empty()) place.labels = {""};
  std::set<std::string> known(place.labels.begin(), place.labels.end());
  for (std::string& name : names) {
    // New names are appended, because the numbers of the old ones are in shards that must not change.
    if (known.insert(name).second) place.labels.push_back(std::move(name));
  }
  return place;
}

}  // namespace gan::preprocess
