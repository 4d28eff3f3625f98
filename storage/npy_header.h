// The header of NumPy's .npy format, versions 1 to 3 (numpy.lib.format).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gan::storage {

struct NpyHeader {
  std::string type;  // as NumPy writes it, for example "|u1" or "<f4"
  bool is_fortran = false;
  std::vector<std::uint64_t> shape;
  std::uint64_t offset = 0;  // of the first value
};

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";
inline constexpr std::size_t kMaxNpyHeaderBytes = 4096;
inline constexpr std::size_t kMaxArrayDimensions = 8;

// `head`: the beginning of the file; kMaxNpyHeaderBytes bytes suffice. Empty when it is not a .npy file. Throws
// DataError naming `file` and the offset when the header is damaged or describes anything but an array of plain
// numbers.
std::optional<NpyHeader> ReadNpyHeader(std::string_view head, const std::filesystem::path& file);

}  // namespace gan::storage
