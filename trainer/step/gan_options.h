#pragma once

#include <cstdint>

#include "trainer/distributed/gradient_sync_options.h"
#include "trainer/loss/loss_options.h"
#include "trainer/model/network_options.h"
#include "trainer/step/adam_options.h"
#include "trainer/step/augment_options.h"

namespace gan::step {

// kBf16: matrix products and convolutions in bfloat16, weights and sums in float (autocast). kFp64: everything in
// double, for numerical tests.
enum class Precision { kFp32, kBf16, kFp64 };

// The options of Gan. All of them affect the result of training.
struct GanOptions {
  model::NetworkOptions network;
  AdamOptions adam;
  loss::LossOptions loss;
  Augmentation augmentation = Augmentation::kNone;
  Precision precision = Precision::kFp32;
  bool channels_last = false;
  bool sync_batch_norm = false;
  double clip_norm = 0;                        // maximum gradient norm of a network; 0 disables clipping
  std::uint64_t ema_half_life_images = 10000;  // 0: no average of the weights is kept
  distributed::GradientSyncOptions gradients;

  // The layout that our convolutions on CPUs (model/convolution.h) need, and with which those of cuDNN are faster.
  bool UsesChannelsLast() const { return channels_last || network.convolutions == model::ConvolutionPath::kAuto; }
};

}  // namespace gan::step
