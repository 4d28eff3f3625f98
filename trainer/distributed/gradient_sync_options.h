#pragma once

#include <cstdint>

namespace gan::distributed {

// How gradients cross the ranks. kFlat: one all-reduce after backward; the order of summation never changes.
// kBucketed: c10d::Reducer all-reduces buckets of parameters while backward still computes the others.
// kAuto: the faster one by measurement (docs/decisions/0008-flat-or-bucketed.md): flat on CPUs, where there is no spare
// core to overlap with, bucketed on GPUs.
enum class SyncPath { kAuto, kFlat, kBucketed };

struct GradientSyncOptions {
  SyncPath path = SyncPath::kAuto;
  std::int64_t bucket_bytes = 25 << 20;
};

}  // namespace gan::distributed
