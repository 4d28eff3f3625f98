#include "checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "checkpoint/safetensors_header.h"
#include "storage/errors.h"

namespace gan::checkpoint {

namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;  // the file begins with the header's length

struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// The number of bytes that the shape and type require. Throws DataError when it does not fit into 64 bits.
std::uint64_t ByteCount(const HeaderEntry& entry, const std::filesystem::path& file) {
  const std::uint64_t width = DtypeBits(entry.dtype);
  if (width == 0) throw DataError(file, kLengthBytes, "tensor " + entry.name + " has the unknown type " + entry.dtype);
  // Counted in bits, because types of 4 and 6 bits are packed. The product is checked before each multiplication:
  // shapes come from the file, and an overflow could make a huge shape fit a small tensor.
  std::uint64_t bits = width;
  for (const std::int64_t extent : entry.shape) {
    const auto factor = static_cast<std::uint64_t>(extent);
    if (factor != 0 && bits > std::numeric_limits<std::uint64_t>::max() / factor) {
      throw DataError(file, kLengthBytes, "tensor " + entry.name + " has an impossible shape");
    }
    bits *= factor;
  }
  if (bits % 8 != 0) throw DataError(file, kLengthBytes, "tensor " + entry.name + " ends within a byte");
  return bits / 8;
}

// A view of one tensor, after checking that its offsets lie within the file and agree with its shape.
TensorView View(HeaderEntry entry, std::span<const std::byte> data, std::uint64_t data_at,
                const std::filesystem::path& file) {
  if (entry.begin > entry.end || entry.end > data.size()) {
    throw DataError(file, data_at + entry.begin, "tensor " + entry.name + " lies outside the file");
  }
  if (entry.end - entry.begin != ByteCount(entry, file)) {
    throw DataError(file, data_at + entry.begin, "tensor " + entry.name + " has another size than its shape says");
  }
  return {.name = std::move(entry.name),
          .dtype = std::move(entry.dtype),
          .shape = std::move(entry.shape),
          .data = data.subspan(entry.begin, entry.end - entry.begin)};
}

// The format requires tensors to fill the file without gaps: bytes that no tensor covers could hide other content.
void RequireGapless(std::vector<Extent> extents, std::uint64_t size, std::uint64_t data_at,
                    const std::filesystem::path& file) {
  // The end decides between equal beginnings, so that an empty tensor comes before the one that begins at the same
  // place.
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t end = 0;
  for (const Extent& extent : extents) {
    if (extent.begin != end) throw DataError(file, data_at + end, "tensors overlap or leave a hole");
    end = extent.end;
  }
  if (end != size) throw DataError(file, data_at + end, "bytes are left over after the last tensor");
}

}  // namespace

// Includes types that this program cannot use, because gan-inspect checks files of other programs.
std::size_t DtypeBits(const std::string& dtype) {
  static const std::map<std::string, std::size_t> kSizes = {
      {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"BOOL", 8},        {"U8", 8},          {"I8", 8},
      {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
      {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
      {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64}};
  const auto found = kSizes.find(dtype);
  return found == kSizes.end() ? 0 : found->second;
}

// Offsets follow from the order of the tensors, without gaps.
std::string EncodeHeader(const std::vector<TensorView>& tensors) {
  json header = json::object();
  std::uint64_t offset = 0;
  for (const TensorView& tensor : tensors) {
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + tensor.data.size()}}};
    offset += tensor.data.size();
  }
  // Aligns the first tensor to eight bytes, as the format recommends.
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string bytes(kLengthBytes, '\0');
  const std::uint64_t length = text.size();
  // The format is little-endian, as are all machines that this is built for (shard/little_endian.h checks it).
  std::memcpy(bytes.data(), &length, kLengthBytes);
  return bytes + text;
}

std::vector<TensorView> DecodeSafetensors(std::span<const std::byte> bytes, const std::filesystem::path& file) {
  if (bytes.size() < kLengthBytes) throw DataError(file, bytes.size(), "is too short for a safetensors file");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  // Compared by subtraction, because the length comes from the file and an addition could overflow.
  if (length > kMaxHeaderBytes || length > bytes.size() - kLengthBytes) {
    throw DataError(file, 0, "the header's length is beyond the file or the limit");
  }
  const std::string_view header(reinterpret_cast<const char*>(bytes.data() + kLengthBytes), length);
  const std::uint64_t data_at = kLengthBytes + length;
  const std::span<const std::byte> data = bytes.subspan(data_at);
  std::vector<TensorView> tensors;
  std::vector<Extent> extents;
  for (HeaderEntry& entry : ParseHeader(header, file, kLengthBytes)) {
    extents.push_back({entry.begin, entry.end});
    tensors.push_back(View(std::move(entry), data, data_at, file));
  }
  RequireGapless(std::move(extents), data.size(), data_at, file);
  return tensors;
}

}  // namespace gan::checkpoint
