#include "trainer/run/classes_of_run.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "storage/errors.h"

namespace gan::run {

namespace {

constexpr std::size_t kMostNamed = 5;  // classes in a message

// "a", "b" and 3 more
std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    text += (text.empty() ? "\"" : ", \"") + names[i] + "\"";
  }
  return names.size() > kMostNamed ? text + " and " + std::to_string(names.size() - kMostNamed) + " more" : text;
}

std::vector<std::string> NamesOf(const data::Classes& classes) {
  std::vector<std::string> names;
  for (const data::ClassInfo& one : classes.all()) names.push_back(one.name);
  return names;
}

std::vector<std::string> NamesOf(const nlohmann::json& classes) {
  std::vector<std::string> names;
  for (const nlohmann::json& one : classes) names.push_back(one.at("name"));
  return names;
}

// The elements of `a` that `b` does not have.
std::vector<std::string> Without(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::string> rest;
  std::ranges::copy_if(a, std::back_inserter(rest),
                       [&](const std::string& name) { return std::ranges::find(b, name) == b.end(); });
  return rest;
}

}  // namespace

data::Classes ClassesOf(const TrainOptions& options, const data::Dataset& dataset) {
  if (!options.conditional) return {};
  const std::vector<std::string>& labels = dataset.manifest().labels;
  const std::vector<std::uint64_t> counts = labels.empty() ? std::vector<std::uint64_t>() : dataset.LabelCounts();
  // All labels of the manifest become classes, also those without images, which data::Classes never draws. At least two
  // must have some.
  const auto found = std::ranges::count_if(counts, [](std::uint64_t count) { return count > 0; });
  if (found < 2) {
    throw UsageError("--conditional: the training images in " + options.shards.string() + " have " +
                     (found == 0 ? "no labels" : "only one class") +
                     "; gan-preprocess --labels folder or auto stores classes");
  }
  std::vector<data::ClassInfo> classes;
  for (std::size_t i = 0; i < labels.size(); ++i) classes.push_back({labels[i], counts[i]});
  return {std::move(classes), options.class_sampling};
}

step::GanOptions WithClasses(step::GanOptions options, const data::Classes& classes) {
  options.network.classes = static_cast<std::int64_t>(classes.size());
  return options;
}

nlohmann::json ToJson(const data::Classes& classes) {
  nlohmann::json all = nlohmann::json::array();
  for (const data::ClassInfo& one : classes.all()) all.push_back({{"name", one.name}, {"images", one.images}});
  return all;
}

// Checked before other differences, because a renamed class changes the data set's digest as well.
void RequireSameClasses(const nlohmann::json& state, const data::Classes& now,
                        const std::filesystem::path& checkpoint) {
  const std::vector<std::string> before = NamesOf(state.value("classes", nlohmann::json::array()));
  const std::vector<std::string> names = NamesOf(now);
  // If only one side has classes, --conditional differs, which the comparison of options reports.
  if (before == names || before.empty() || names.empty()) return;
  const std::vector<std::string> missing = Without(before, names), added = Without(names, before);
  std::string difference;
  if (!missing.empty()) difference += "the data no longer has the classes " + Listed(missing);
  if (!added.empty())
    difference += (difference.empty() ? "the data" : ", and") + (" has the new classes " + Listed(added));
  if (difference.empty()) difference = "the data has the classes in another order: " + Listed(names);
  throw DataError(checkpoint, difference + "; its networks fit only the classes that they were trained on");
}

}  // namespace gan::run
