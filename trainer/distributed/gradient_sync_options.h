#pragma once

#include <cstdint>

namespace gan::distributed {

// How gradients are all-reduced. kFlat: one all-reduce after the backward; the order of summation never changes.
// kBucketed: c10d::Reducer all-reduces buckets of parameters while the backward still computes other gradients. kAuto:
// whichever was faster in measurements (docs/decisions/0008-flat-or-bucketed.md): flat on CPUs, where no core is free
// for communication during the backward, bucketed on GPUs.
enum class SyncPath { kAuto, kFlat, kBucketed };

struct GradientSyncOptions {
  SyncPath path = SyncPath::kAuto;
  std::int64_t bucket_bytes = 25 << 20;
};

}  // namespace gan::distributed
