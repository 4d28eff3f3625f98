#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace gan::distributed {

// Elements [begin, end) of a TensorRow.
struct Part {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};

// Views dense tensors as one row of elements, concatenated in their memory order. Shares their memory and is not part
// of autograd's graph.
class TensorRow {
 public:
  explicit TensorRow(const std::vector<at::Tensor>& tensors) {
    for (const at::Tensor& tensor : tensors) {
      tensors_.push_back(tensor.detach());
      size_ += tensor.numel();
    }
  }
  std::int64_t size() const { return size_; }
  const std::vector<at::Tensor>& tensors() const { return tensors_; }

  // The contiguous pieces of memory that make up `part`, each a one-dimensional tensor.
  std::vector<at::Tensor> Pieces(Part part) const {
    std::vector<at::Tensor> pieces;
    std::int64_t begin = 0;
    for (const at::Tensor& tensor : tensors_) {
      const std::int64_t from = std::max(part.begin, begin), to = std::min(part.end, begin + tensor.numel());
      if (from < to) pieces.push_back(tensor.as_strided({to - from}, {1}, tensor.storage_offset() + from - begin));
      begin += tensor.numel();
    }
    return pieces;
  }

 private:
  std::vector<at::Tensor> tensors_;
  std::int64_t size_ = 0;
};

// Splits the one-dimensional tensor `values` into pieces with the lengths of `pieces`. The result shares its memory.
inline std::vector<at::Tensor> CutLike(const at::Tensor& values, const std::vector<at::Tensor>& pieces) {
  std::vector<at::Tensor> cut;
  std::int64_t begin = 0;
  for (const at::Tensor& piece : pieces) {
    cut.push_back(values.narrow(0, begin, piece.numel()));
    begin += piece.numel();
  }
  return cut;
}

}  // namespace gan::distributed
