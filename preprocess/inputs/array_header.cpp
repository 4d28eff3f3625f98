#include "preprocess/inputs/array_header.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <regex>

#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kNpy = "\x93NUMPY";
constexpr std::string_view kIdx = "\0\0"sv;
constexpr std::size_t kMostDimensions = 8;

std::uint64_t LittleEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

std::uint64_t BigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

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

std::optional<ArrayHeader> ReadIdx(std::string_view head, const fs::path& file) {
  if (head.size() < 4 || !head.starts_with(kIdx)) return std::nullopt;
  const std::string_view type = IdxType(static_cast<unsigned char>(head[2]));
  const auto dimensions = static_cast<unsigned char>(head[3]);
  if (type.empty() || dimensions == 0 || dimensions > kMostDimensions) return std::nullopt;
  ArrayHeader header;
  header.type = type;
  header.offset = 4 + std::uint64_t{4} * dimensions;
  if (head.size() < header.offset) throw DataError(file, head.size(), "ends inside the header of an IDX file");
  for (std::size_t i = 0; i < dimensions; ++i) header.shape.push_back(BigEndian(head.substr(4 + 4 * i, 4)));
  return header;
}

// "(60000, 28, 28, )"
std::vector<std::uint64_t> ShapeOf(const std::string& text, const fs::path& file) {
  std::vector<std::uint64_t> shape;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error == std::errc::result_out_of_range) throw DataError(file, "an impossible shape (" + text + ")");
    if (error == std::errc()) shape.push_back(number);
    at = stop == at ? at + 1 : stop;
  }
  if (shape.size() > kMostDimensions) throw DataError(file, "an impossible shape (" + text + ")");
  return shape;
}

std::optional<ArrayHeader> ReadNpy(std::string_view head, const fs::path& file) {
  static const std::regex kType(R"('descr'\s*:\s*'([^']{1,16})')"), kOrder(R"('fortran_order'\s*:\s*(True|False))"),
      kShape(R"('shape'\s*:\s*\(([0-9, L]{0,200})\))");
  if (!head.starts_with(kNpy) || head.size() < 12) return std::nullopt;
  const bool is_first_version = head[6] == 1;
  const std::size_t begin = is_first_version ? 10 : 12;
  const std::uint64_t bytes = LittleEndian(head.substr(8, begin - 8));
  if (bytes > kMostHeaderBytes - begin)
    throw DataError(
        file, 8, "the header of this .npy has " + std::to_string(bytes) + " bytes, which is no array of plain numbers");
  if (head.size() < begin + bytes) throw DataError(file, head.size(), "ends inside the header of a .npy");
  const std::string text(head.substr(begin, bytes));
  std::smatch type, order, shape;
  if (!std::regex_search(text, type, kType) || !std::regex_search(text, order, kOrder) ||
      !std::regex_search(text, shape, kShape)) {
    throw DataError(file, begin, "the header of this .npy does not describe an array of plain numbers");
  }
  return ArrayHeader{type[1], order[1] == "True", ShapeOf(shape[1], file), begin + bytes};
}

// As a decimal number; `bytes`: one value.
std::string NumberOf(std::string_view bytes, bool is_big_endian, bool has_sign) {
  const std::uint64_t value = is_big_endian ? BigEndian(bytes) : LittleEndian(bytes);
  const std::size_t unused = 64 - 8 * bytes.size();
  if (!has_sign) return std::to_string(value);
  return std::to_string(static_cast<std::int64_t>(value << unused) >> unused);
}

}  // namespace

bool BeginsLikeAnArray(std::string_view head) {
  if (head.starts_with(kNpy)) return true;
  return head.size() > 16 && head.starts_with(kIdx) && head[3] != 0 &&
         static_cast<unsigned char>(head[3]) <= kMostDimensions &&
         !IdxType(static_cast<unsigned char>(head[2])).empty();
}

std::uint64_t ArrayHeader::item_bytes() const {
  const std::uint64_t size = type.empty() ? 0 : static_cast<std::uint64_t>(type.back() - '0');
  return type.size() <= 3 && size <= 8 ? size : 0;
}

std::string ArrayHeader::Words() const {
  std::string words = type + " [";
  for (std::size_t i = 0; i < shape.size(); ++i) words += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return words + "]";
}

std::optional<ArrayHeader> ReadArrayHeader(std::string_view head, const fs::path& file) {
  std::optional<ArrayHeader> header = ReadNpy(head, file);
  return header ? header : ReadIdx(head, file);
}

std::vector<std::string> ReadNumbers(const ArrayHeader& header, std::string_view data, const fs::path& file) {
  const char kind = header.type.size() < 2 ? '?' : header.type[header.type.size() - 2];
  const bool is_list = header.shape.size() == 1 || (header.shape.size() == 2 && header.shape[1] == 1);
  const std::uint64_t bytes = header.item_bytes();
  if (!is_list || bytes == 0 || (kind != 'u' && kind != 'i')) {
    throw DataError(file, header.Words() + " is no list of class numbers; --labels none reads the pictures alone");
  }
  if (data.size() < header.offset || (data.size() - header.offset) / bytes < header.count()) {
    throw DataError(file, data.size(), "ends before its " + std::to_string(header.count()) + " labels");
  }
  std::vector<std::string> numbers;
  for (std::uint64_t i = 0; i < header.count(); ++i) {
    numbers.push_back(NumberOf(data.substr(header.offset + i * bytes, bytes), header.type[0] == '>', kind == 'i'));
  }
  return numbers;
}

}  // namespace gan::preprocess
