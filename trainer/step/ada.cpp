#include "trainer/step/ada.h"

#include <algorithm>
#include <cmath>

namespace gan::step {

namespace {

// The values of the paper's section 3.1.
constexpr double kTarget = 0.6;
constexpr double kImagesFromZeroToOne = 500'000;
constexpr std::uint64_t kStepsADecision = 4;

}  // namespace

void AdaController::Observe(double sign_mean, std::uint64_t images) {
  // One NaN would stay in the sum until the decision, which would then compare with NaN.
  if (!std::isfinite(sign_mean)) return;
  sum_of_means_ += sign_mean;
  images_ += images;
  if (++observed_ < kStepsADecision) return;
  // Only the sign matters: the probability changes at a constant speed.
  const double over = sum_of_means_ / static_cast<double>(observed_) - kTarget;
  const double sign = over > 0 ? 1.0 : (over < 0 ? -1.0 : 0.0);
  probability_ = std::clamp(probability_ + sign * static_cast<double>(images_) / kImagesFromZeroToOne, 0.0, 1.0);
  sum_of_means_ = 0;
  observed_ = images_ = 0;
}

nlohmann::json AdaController::Save() const {
  return {{"probability", probability_}, {"sum_of_means", sum_of_means_}, {"observed", observed_}, {"images", images_}};
}

void AdaController::Restore(const nlohmann::json& state) {
  state.at("probability").get_to(probability_);
  state.at("sum_of_means").get_to(sum_of_means_);
  state.at("observed").get_to(observed_);
  state.at("images").get_to(images_);
}

}  // namespace gan::step
