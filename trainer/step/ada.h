#pragma once

#include <cstdint>

#include <nlohmann/json.hpp>

namespace gan::step {

// Adaptive discriminator augmentation: the probability of every operation rises while D is too confident on real
// images, r = E[sign D(real)] > 0.6, and falls otherwise. It takes at least 500,000 images to rise from 0 to 1 and
// changes in every fourth step (Karras et al., "Training generative adversarial networks with limited data", NeurIPS
// 2020, section 3.1; stylegan3's training_loop.py). With all-reduced inputs it is the same on all ranks.
class AdaController {
 public:
  double probability() const { return probability_; }
  // sign_mean: r of one step. images: number of real images in that step, over all ranks. A value that is not finite is
  // ignored.
  void Observe(double sign_mean, std::uint64_t images);
  nlohmann::json Save() const;
  void Restore(const nlohmann::json& state);  // throws nlohmann::json::exception when `state` is not a result of Save()

 private:
  double probability_ = 0;
  double sum_of_means_ = 0;
  std::uint64_t observed_ = 0, images_ = 0;  // since the last decision
};

}  // namespace gan::step
