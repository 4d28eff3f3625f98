#include "storage/npy_header.h"

#include <charconv>
#include <regex>

#include "storage/byte_order.h"
#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::storage {

namespace {

// "(60000, 28, 28, )"
// Python 2 wrote large dimensions as "60000L", so whatever stands between the numbers is skipped.
std::vector<std::uint64_t> ShapeOf(const std::string& text, const std::filesystem::path& file) {
  std::vector<std::uint64_t> shape;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error == std::errc::result_out_of_range) throw DataError(file, "an impossible shape (" + text + ")");
    if (error == std::errc()) shape.push_back(number);
    at = stop == at ? at + 1 : stop;
  }
  if (shape.size() > kMaxArrayDimensions) throw DataError(file, "an impossible shape (" + text + ")");
  return shape;
}

}  // namespace

std::optional<NpyHeader> ReadNpyHeader(std::string_view head, const std::filesystem::path& file) {
  // The header is a Python literal. Its keys may come in any order, so each is searched for by itself. libstdc++'s
  // std::regex recurses for every character that it matches, which kMaxNpyHeaderBytes keeps harmless.
  static const std::regex kType(R"('descr'\s*:\s*'([ -&(-~]{1,16})')"), kOrder(R"('fortran_order'\s*:\s*(True|False))"),
      kShape(R"('shape'\s*:\s*\(([0-9, L]{0,200})\))");
  if (!head.starts_with(kNpyMagic) || head.size() < 12) return std::nullopt;
  // Version 1 has a length of 16 bits, later ones have 32.
  const bool is_first_version = head[6] == 1;
  const std::size_t begin = is_first_version ? 10 : 12;
  const std::uint64_t bytes = LittleEndian(head.substr(8, begin - 8));
  if (bytes > kMaxNpyHeaderBytes - begin)
    throw DataError(
        file, 8,
        "the header of this .npy has " + storage::Counted(bytes, "byte") + ", which is no array of plain numbers");
  if (head.size() < begin + bytes) throw DataError(file, head.size(), "ends inside the header of a .npy");
  const std::string text(head.substr(begin, bytes));
  std::smatch type, order, shape;
  if (!std::regex_search(text, type, kType) || !std::regex_search(text, order, kOrder) ||
      !std::regex_search(text, shape, kShape)) {
    throw DataError(file, begin, "the header of this .npy does not describe an array of plain numbers");
  }
  return NpyHeader{type[1], order[1] == "True", ShapeOf(shape[1], file), begin + bytes};
}

}  // namespace gan::storage
