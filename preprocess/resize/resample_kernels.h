// The inner loops of the resize: a portable version, one with AVX2, one with AVX-512. All give the same bits, because
// the sums are integers modulo 2^32 in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace gan::preprocess {

// Pillow's fixed point: weights have 22 fractional bits.
constexpr int kPrecisionBits = 32 - 8 - 2;

constexpr std::size_t kReadBeyond = 64;  // bytes behind a row that the kernels may read

// Weights in the layout of a vector kernel: bytes that it reads in order, aligned to a cache line.
class WeightTable {
 public:
  template <typename Number>
  void Put(Number value) {
    if (bytes_ + sizeof value > lines_.size() * sizeof(Line)) lines_.emplace_back();
    std::memcpy(reinterpret_cast<std::byte*>(lines_.data()) + bytes_, &value, sizeof value);
    bytes_ += sizeof value;
  }
  bool empty() const { return bytes_ == 0; }
  const std::byte* data() const { return reinterpret_cast<const std::byte*>(lines_.data()); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> lines_;
  std::size_t bytes_ = 0;
};

struct Axis {
  std::uint32_t outputs = 0;
  std::uint32_t available = 0;        // number of available inputs
  std::size_t stride = 0;             // the largest number of taps of an output
  std::vector<std::uint32_t> first;   // [outputs] first input of each
  std::vector<std::uint32_t> count;   // [outputs] its taps
  std::vector<std::int32_t> weights;  // [outputs][stride]
  // The weights in the layout of the kernels, made by their prepare_rows or prepare_columns.
  std::vector<std::uint32_t> start;
  WeightTable table;
};

struct ResampleKernels {
  void (*prepare_rows)(Axis& axis);
  void (*prepare_columns)(Axis& axis);
  // in: `count` rows of RGB, `in_bytes` apart; kReadBeyond bytes behind the last row may be read. out: `count` rows of
  // axis.outputs pixels, without gaps.
  void (*rows)(const std::uint8_t* in, std::size_t in_bytes, std::uint32_t count, const Axis& axis, std::uint8_t* out);
  // in: the axis's input rows of `row_bytes` bytes, without gaps. out: the row of output i.
  void (*columns)(const std::uint8_t* in, std::size_t row_bytes, const Axis& axis, std::uint32_t i, std::uint8_t* out);
};

extern const ResampleKernels kPortableKernels;
// Null when this processor lacks the instructions.
const ResampleKernels* Avx2Kernels();
const ResampleKernels* Avx512Kernels();
const ResampleKernels& BestKernels();

}  // namespace gan::preprocess
