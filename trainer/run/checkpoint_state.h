// Converts between live tensors and the bytes of a checkpoint.
#pragma once

#include <torch/types.h>

#include <vector>

#include "checkpoint/checkpoint.h"
#include "trainer/distributed/communicator.h"
#include "trainer/model/state.h"

namespace gan::run {

// Copies tensors to the CPU and provides views of the copies. The buffers are reused from one snapshot to the next; the
// views are valid as long as the object. A copy keeps the memory order of its tensor (channels-last convolutions),
// which is several times faster while training waits. The views' settle function converts it to row-major order, once
// per update.
class Snapshot {
 public:
  explicit Snapshot(const model::NamedTensors& state);
  // Copies the tensors again. They must be the tensors of the constructor in the same order, as Fits() checks.
  void Update(const model::NamedTensors& state);
  // Whether `state` has the shapes and strides of the buffers. It does not after a network was widened.
  bool Fits(const model::NamedTensors& state) const;
  const std::vector<checkpoint::TensorView>& views() const { return views_; }

 private:
  std::vector<torch::Tensor> copies_;
  std::vector<checkpoint::TensorView> views_;
};

// Copies every tensor of `state` from the checkpoint, which may contain others. Throws DataError naming the tensor when
// one is missing or has another shape or type.
void RestoreSome(const checkpoint::Checkpoint& saved, const model::NamedTensors& state);

// Copies the tensors in the same way, but throws DataError when the checkpoint contains other tensors.
void RestoreAll(const checkpoint::Checkpoint& saved, const model::NamedTensors& state);

checkpoint::RankGroup RankGroupOf(distributed::Communicator& control);

}  // namespace gan::run
