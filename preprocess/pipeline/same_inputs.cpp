#include "preprocess/pipeline/same_inputs.h"

#include <algorithm>
#include <string>

#include "preprocess/inputs/content_sample.h"

namespace gan::preprocess {

using nlohmann::json;

namespace {

constexpr const char* kAppended = "appended";

// Empty in the plan of an older version.
std::string SampleIn(const json& plan) {
  const auto sample = plan.find(kInputsSample);
  return sample != plan.end() && sample->is_string() ? sample->get<std::string>() : std::string();
}

// Compares the lists of later inputs. Both have equally many entries, because the names are the same.
bool SameAppended(const json& one, const json& other) {
  if (!one.contains(kAppended)) return true;
  return std::equal(one.at(kAppended).begin(), one.at(kAppended).end(), other.at(kAppended).begin(), SameInputs);
}

}  // namespace

bool SameNames(json one, json other) {
  for (json* plan : {&one, &other}) {
    if (!plan->is_object()) continue;
    plan->erase(kInputsSample);
    if (!plan->contains(kAppended)) continue;
    for (json& batch : plan->at(kAppended)) batch.erase(kInputsSample);
  }
  return one == other;
}

bool SameInputs(const json& one, const json& other) {
  if (!SameNames(one, other)) return false;
  return !one.is_object() || (SamplesAgree(SampleIn(one), SampleIn(other)) && SameAppended(one, other));
}

json WithSampleOf(json plan, const json& other) {
  if (plan.contains(kInputsSample)) plan[kInputsSample] = Completed(SampleIn(plan), SampleIn(other));
  if (!plan.contains(kAppended)) return plan;
  for (std::size_t i = 0; i < plan.at(kAppended).size(); ++i) {
    plan[kAppended][i] = WithSampleOf(plan[kAppended][i], other.at(kAppended).at(i));
  }
  return plan;
}

}  // namespace gan::preprocess
