#pragma once

#include <cstdint>
#include <string>

namespace gan::loss {

// kBce: the seed's. kHinge: Lim and Ye 2017. kWganGp: Gulrajani et al. 2017. kRpgan: relativistic pairs, Huang et al.
// 2024 (R3GAN), meant to go with R1 and R2.
enum class Kind { kBce, kHinge, kWganGp, kRpgan };

struct LossOptions {
  Kind kind = Kind::kBce;
  double r1 = 0;                     // gamma of R1 (penalty gamma/2 * E|grad D(real)|^2); 0: none
  double r2 = 0;                     // gamma of R2, the same on fakes
  double gradient_penalty = 10;      // lambda of WGAN-GP; only that loss uses it
  std::uint64_t penalty_every = 1;   // R1 and R2 in every k-th step, k times as heavy (lazy regularisation)
  double feature_matching = 0;       // weight of the match with reals in D's own features, in G's loss
  double perceptual = 0;             // weight of the same match in the features of `perceptual_file`
  std::string perceptual_file = {};  // TorchScript: float [N, 3, R, R] in [-1, 1] -> a tensor or several, [N, ...]
};

}  // namespace gan::loss
