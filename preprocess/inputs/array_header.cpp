#include "preprocess/inputs/array_header.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "storage/byte_order.h"
#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kIdx = "\0\0"sv;

// The type of an IDX file's values by its third byte.
std::string_view IdxType(unsigned char code) {
  switch (code) {
    case 0x08:
      return "|u1";
    case 0x09:
      return "|i1";
    case 0x0B:
      return ">i2";
    case 0x0C:
      return ">i4";
    case 0x0D:
      return ">f4";
    case 0x0E:
      return ">f8";
    default:
      return {};
  }
}

// Two zero bytes, the type, the number of dimensions, then each dimension as a big-endian number of four bytes.
std::optional<ArrayHeader> ReadIdx(std::string_view head, const fs::path& file) {
  if (head.size() < 4 || !head.starts_with(kIdx)) return std::nullopt;
  const std::string_view type = IdxType(static_cast<unsigned char>(head[2]));
  const auto dimensions = static_cast<unsigned char>(head[3]);
  if (type.empty() || dimensions == 0 || dimensions > storage::kMaxArrayDimensions) return std::nullopt;
  ArrayHeader header;
  header.is_idx = true;
  header.type = type;
  header.offset = 4 + std::uint64_t{4} * dimensions;
  if (head.size() < header.offset) throw DataError(file, head.size(), "ends inside the header of an IDX file");
  for (std::size_t i = 0; i < dimensions; ++i) header.shape.push_back(storage::BigEndian(head.substr(4 + 4 * i, 4)));
  return header;
}

// The bytes of one value as a decimal number.
std::string NumberOf(std::string_view bytes, bool is_big_endian, bool has_sign) {
  const std::uint64_t value = is_big_endian ? storage::BigEndian(bytes) : storage::LittleEndian(bytes);
  const std::size_t unused = 64 - 8 * bytes.size();
  if (!has_sign) return std::to_string(value);
  // Shifted to the top and back, so that the sign fills the unused bits.
  return std::to_string(static_cast<std::int64_t>(value << unused) >> unused);
}

}  // namespace

bool BeginsLikeAnArray(std::string_view head) {
  if (head.starts_with(storage::kNpyMagic)) return true;
  // Many files begin with two zero bytes, so all of these must fit, and bytes must follow a header of three dimensions.
  return head.size() > 16 && head.starts_with(kIdx) && head[3] != 0 &&
         static_cast<unsigned char>(head[3]) <= storage::kMaxArrayDimensions &&
         !IdxType(static_cast<unsigned char>(head[2])).empty();
}

std::uint64_t ArrayHeader::item_bytes() const {
  // One digit, as in "<i4". A type such as "<U12" is text, for which the size is 0.
  const std::uint64_t size = type.empty() ? 0 : static_cast<std::uint64_t>(type.back() - '0');
  return type.size() <= 3 && size <= 8 ? size : 0;
}

std::string ArrayHeader::Words() const {
  std::string words = type + " [";
  for (std::size_t i = 0; i < shape.size(); ++i) words += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return words + "]";
}

std::optional<ArrayHeader> ReadArrayHeader(std::string_view head, const fs::path& file) {
  if (auto npy = storage::ReadNpyHeader(head, file)) return ArrayHeader{std::move(*npy), false};
  return ReadIdx(head, file);
}

std::vector<std::string> ReadNumbers(const ArrayHeader& header, std::string_view data, const fs::path& file) {
  const char kind = header.type.size() < 2 ? '?' : header.type[header.type.size() - 2];
  const bool is_list = header.shape.size() == 1 || (header.shape.size() == 2 && header.shape[1] == 1);
  const std::uint64_t bytes = header.item_bytes();
  if (!is_list || bytes == 0 || (kind != 'u' && kind != 'i')) {
    throw DataError(file, header.Words() + " is no list of class numbers; --labels none reads the pictures alone");
  }
  if (data.size() < header.offset || (data.size() - header.offset) / bytes < header.count()) {
    throw DataError(file, data.size(), "ends before its " + storage::Counted(header.count(), "label"));
  }
  std::vector<std::string> numbers;
  for (std::uint64_t i = 0; i < header.count(); ++i) {
    numbers.push_back(NumberOf(data.substr(header.offset + i * bytes, bytes), header.type[0] == '>', kind == 'i'));
  }
  return numbers;
}

}  // namespace gan::preprocess
