// The safetensors format (github.com/huggingface/safetensors, "Format"): u64 header length, JSON header, tensor bytes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace gan::checkpoint {

inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation

// The bytes before the tensors: the header's length and the header, padded with spaces to a multiple of 8. The tensors
// follow in the given order, without gaps.
std::string EncodeHeader(const std::vector<TensorView>& tensors);

// Returns views into `bytes`. Throws DataError naming file and offset for a header that is too long or is not a JSON
// object, a duplicate key, nesting deeper than storage::kMaxJsonDepth, unknown types, sizes that overflow or disagree
// with the shape, overlapping tensors, gaps between tensors, and bytes after the last one.
std::vector<TensorView> DecodeSafetensors(std::span<const std::byte> bytes, const std::filesystem::path& file);

// Bits per element for every type of the format up to safetensors 0.7; 0 for an unknown type.
std::size_t DtypeBits(const std::string& dtype);

}  // namespace gan::checkpoint
