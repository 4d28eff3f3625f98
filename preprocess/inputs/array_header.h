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

// The array header at the beginning of `head`, which needs only the first storage::kMaxNpyHeaderBytes of the file.
// Empty when the file is not an array. Throws DataError naming `file` and the offset when the header is damaged.
std::optional<ArrayHeader> ReadArrayHeader(std::string_view head, const std::filesystem::path& file);

// The whole numbers of a list [n] or [n, 1]; `data` is the whole file. Throws DataError naming `file` when it is any
// other array.
std::vector<std::string> ReadNumbers(const ArrayHeader& header, std::string_view data,
                                     const std::filesystem::path& file);

}  // namespace gan::preprocess
