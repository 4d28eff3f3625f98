// The safetensors format (github.com/huggingface/safetensors, "Format"): u64 header length, JSON header, tensor bytes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace gan::checkpoint {

inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // as the reference implementation

// The bytes before the tensors: header length and header, padded with spaces to a multiple of 8. Tensors follow in the
// order given, without gaps.
std::string EncodeHeader(const std::vector<TensorView>& tensors);

// Views into `bytes`. Refused, naming file and offset: a header that is too long or no JSON object, a key that stands
// twice, nesting beyond storage::kMaxJsonDepth, unknown types, sizes that overflow or disagree with the shape,
// overlaps, holes, bytes left over.
std::vector<TensorView> DecodeSafetensors(std::span<const std::byte> bytes, const std::filesystem::path& file);

// Bits of an element, for every type of the format up to safetensors 0.7; 0 for an unknown one.
std::size_t DtypeBits(const std::string& dtype);

}  // namespace gan::checkpoint
