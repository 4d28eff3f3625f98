#include "trainer/run/best_of_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "storage/counted.h"
#include "trainer/quality/evaluator.h"

namespace gan::run {

bool BestOfRun::Take(const std::vector<std::pair<std::string, double>>& values, std::uint64_t step,
                     std::uint64_t images) {
  newest_images_ = images;
  for (const auto& [name, value] : values) {
    if (name != measure_ || !quality::IsMeasure(name) || !std::isfinite(value)) continue;
    // An equal value does not count as better, so a run without progress ends.
    if (best_ && !quality::IsBetter(name, value, best_->value)) continue;
    best_ = {step, images, value};
    return true;
  }
  return false;
}

std::uint64_t BestOfRun::Patience() const {
  if (patience_ > 0) return patience_;
  // In proportion to the length so far: a run that still improves in its tenth hour gets ten more.
  return std::max(kLeastPatience, best_ ? best_->images : 0);
}

// Without a best value there is nothing to keep, so the run continues.
bool BestOfRun::HasWaitedEnough() const {
  return best_ && newest_images_ >= best_->images && newest_images_ - best_->images >= Patience();
}

std::string BestOfRun::Describe() const {
  if (!best_) return measure_ + " has not been measured";
  char value[32];
  std::snprintf(value, sizeof value, "%.4g", best_->value);
  return measure_ + " has not improved on " + value + " of step " + std::to_string(best_->step) + " for " +
         storage::Counted(newest_images_ - best_->images, "image");
}

nlohmann::json BestOfRun::Save() const {
  if (!best_) return {{"best_step", nullptr}, {"best_value", nullptr}, {"measure", measure_}};
  return {{"best_step", best_->step},
          {"best_value", best_->value},
          {"best_images", best_->images},
          {"newest_images", newest_images_},
          {"measure", measure_}};
}

void BestOfRun::Restore(const nlohmann::json& state, std::uint64_t images) {
  best_.reset();
  newest_images_ = images;
  if (state.at("best_step").is_null() || state.at("measure") != measure_) return;
  best_ = {state.at("best_step").get<std::uint64_t>(), state.value("best_images", images),
           state.at("best_value").get<double>()};
  newest_images_ = state.value("newest_images", images);
}

}  // namespace gan::run
