#pragma once

#include <cstdint>

#include "trainer/distributed/gradient_sync_options.h"
#include "trainer/loss/loss_options.h"
#include "trainer/model/network_options.h"
#include "trainer/step/adam_options.h"
#include "trainer/step/augment_options.h"

namespace gan::step {

// kBf16: matrix products and convolutions in bfloat16, weights and sums in float (autocast). kFp64: everything in
// double, for proofs.
enum class Precision { kFp32, kBf16, kFp64 };

// What Gan is made of; all of it is part of the mathematics.
struct GanOptions {
  model::NetworkOptions network;
  AdamOptions adam;
  loss::LossOptions loss;
  Augmentation augmentation = Augmentation::kNone;
  Precision precision = Precision::kFp32;
  bool channels_last = false;
  bool sync_batch_norm = false;
  double clip_norm = 0;                        // longest gradient of a network that is applied unshortened; 0: any
  std::uint64_t ema_half_life_images = 10000;  // 0: no average is kept
  distributed::GradientSyncOptions gradients;

  // The convolutions that we choose on CPUs want it (model/convolution.h), those of cuDNN are faster with it.
  bool UsesChannelsLast() const { return channels_last || network.convolutions == model::ConvolutionPath::kAuto; }
};

}  // namespace gan::step
