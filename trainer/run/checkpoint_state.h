// Between live tensors and the bytes of a checkpoint.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "checkpoint/checkpoint.h"
#include "trainer/distributed/communicator.h"
#include "trainer/model/state.h"

namespace gan::run {

// Copies of tensors on the CPU with views on them, in buffers that are kept from one snapshot to the next; the views
// live as long as the object. A copy keeps the memory order of its tensor (channels-last convolutions), which is
// several times faster while training waits; the views bring it into row-major order when they are settled, once an
// update.
class Snapshot {
 public:
  explicit Snapshot(const model::NamedTensors& state);
  // Copies the tensors anew. The same tensors, in the same order, as at first, by Fits.
  void Update(const model::NamedTensors& state);
  // Whether `state` has the shapes and strides that the buffers were made for: a network may have been widened since.
  bool Fits(const model::NamedTensors& state) const;
  const std::vector<checkpoint::TensorView>& views() const { return views_; }

 private:
  std::vector<torch::Tensor> copies_;
  std::vector<checkpoint::TensorView> views_;
};

// Copies every tensor of `state` from the checkpoint, which may hold more. Throws DataError naming the tensor when one
// is missing or has another shape or type.
void RestoreSome(const checkpoint::Checkpoint& saved, const model::NamedTensors& state);

// The same, and the checkpoint may hold nothing else.
void RestoreAll(const checkpoint::Checkpoint& saved, const model::NamedTensors& state);

checkpoint::Ranks RanksOf(distributed::Communicator& control);

}  // namespace gan::run
