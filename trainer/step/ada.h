#pragma once

#include <cstdint>

#include <nlohmann/json.hpp>

namespace gan::step {

// Adaptive discriminator augmentation: the probability of every operation rises while D's signs on reals are too sure,
// r = E[sign D(real)] above 0.6, and falls otherwise; from 0 to 1 in 500,000 images at the fastest, decided every
// fourth step (Karras et al., "Training generative adversarial networks with limited data", NeurIPS 2020, section 3.1;
// stylegan3's training_loop.py). Fed with all-reduced numbers it is the same on all ranks.
class AdaController {
 public:
  double probability() const { return probability_; }
  // sign_mean: r of one step; images: real images of that step, all ranks. A value that is not finite is left out.
  void Observe(double sign_mean, std::uint64_t images);
  nlohmann::json Save() const;
  void Restore(const nlohmann::json& state);  // throws nlohmann::json::exception on anything that Save() did not give

 private:
  double probability_ = 0;
  double sum_of_means_ = 0;
  std::uint64_t observed_ = 0, images_ = 0;  // since the last decision
};

}  // namespace gan::step
