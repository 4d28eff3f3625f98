// The options of the losses. This header contains no formula and no LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace gan::loss {

// The adversarial losses. A new loss needs a file with its formulas and its row (see hinge.cpp) and one line in each of
// the three lists below.
enum class Kind {
  kBce,     // binary cross entropy with smoothed labels; Goodfellow et al. 2014
  kHinge,   // Lim and Ye 2017
  kWganGp,  // Wasserstein critic with gradient penalty; Gulrajani et al. 2017
  kRpgan,   // relativistic pairing loss, to be used with R1 and R2; Huang et al. 2024 (R3GAN)
};
struct AdversarialLoss;  // trainer/loss/adversarial.h
extern const AdversarialLoss kBceLoss, kHingeLoss, kWassersteinLoss, kRelativisticLoss;
inline constexpr std::array kAdversarialLosses = {&kBceLoss, &kHingeLoss, &kWassersteinLoss, &kRelativisticLoss};

// Targets of the discriminator's cross entropy (label smoothing, Salimans et al., "Improved techniques for training
// GANs", NeurIPS 2016, section 3.4). Only kBce uses them. The generator's target is always 1.
struct Labels {
  double real = 0.9;
  double fake = 0.1;
  bool operator==(const Labels&) const = default;
};

// The discriminator's loss when it is perfect (floor) and when it cannot distinguish real from generated images
// (ceiling). Both are 0 when the loss has no bounds.
struct LossRange {
  double floor = 0;
  double ceiling = 0;
};

struct LossOptions {
  Kind kind = Kind::kBce;
  double r1 = 0;                 // gamma of R1 (penalty gamma/2 * E|grad D(real)|^2); 0: none
  double r2 = 0;                 // gamma of R2, the same on generated images
  double gradient_penalty = 10;  // lambda of WGAN-GP; used only by that loss
  std::uint64_t penalty_every =
      1;  // R1 and R2 are applied in every k-th step with k times the weight (lazy regularisation)
  double feature_matching = 0;       // weight of feature matching in D's layers, in G's loss
  double perceptual = 0;             // weight of feature matching in the layers of `perceptual_file`
  std::string perceptual_file = {};  // TorchScript: float [N, 3, R, R] in [-1, 1] -> one tensor or several, [N, ...]
  bool operator==(const LossOptions&) const = default;
};

}  // namespace gan::loss
