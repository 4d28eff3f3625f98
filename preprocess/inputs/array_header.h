// The headers of NumPy's .npy and of MNIST's IDX.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/npy_header.h"

namespace gan::preprocess {

struct ArrayHeader : storage::NpyHeader {
  bool is_idx = false;

  bool IsBytes() const { return type == "|u1" || type == "u1" || type == "<u1" || type == ">u1"; }
  std::uint64_t item_bytes() const;
  std::uint64_t count() const { return shape.empty() ? 0 : shape[0]; }
  std::string Words() const;  // "|u1 [60000, 28, 28]"
};

bool BeginsLikeAnArray(std::string_view head);

// The header that stands at the beginning of `head`, of which the first storage::kMaxNpyHeaderBytes of the file
// suffice; nothing when it is no array. Throws DataError naming `file` and the offset when it is a damaged one.
std::optional<ArrayHeader> ReadArrayHeader(std::string_view head, const std::filesystem::path& file);

// The whole numbers of a list [n] or [n, 1]; `data` is the whole file. Throws DataError naming `file` when it holds
// anything else.
std::vector<std::string> ReadNumbers(const ArrayHeader& header, std::string_view data,
                                     const std::filesystem::path& file);

}  // namespace gan::preprocess
