#include "generate/engine/npy.h"

#include <span>
#include <string>

#include "checkpoint/weights_file.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "storage/npy_header.h"

namespace gan::generate {

namespace {

// Throws DataError when the file does not hold exactly as many numbers as its shape says, or a dimension is absurd.
void RequireSize(const storage::NpyHeader& header, std::size_t item_bytes, std::size_t bytes,
                 const std::filesystem::path& file) {
  std::uint64_t expected = item_bytes;
  bool fits = true;
  for (const std::uint64_t extent : header.shape) fits = fits && !__builtin_mul_overflow(expected, extent, &expected);
  if (!fits || bytes != expected) throw DataError(file, header.offset, "has another size than its shape says");
}

}  // namespace

NumberArray ReadNpy(const std::filesystem::path& file) {
  const std::string bytes = storage::ReadFile(file, std::uint64_t{1} << 32);
  const auto header = storage::ReadNpyHeader(bytes, file);
  if (!header) throw DataError(file, 0, "is no .npy file");
  if ((header->type != "<f4" && header->type != "<f8") || header->is_fortran) {
    throw DataError(file, 10,
                    "holds " + header->type + (header->is_fortran ? " in Fortran order" : "") +
                        ", but must be float32 or float64 in C order; save it with np.save(file, "
                        "np.ascontiguousarray(x, '<f4'))");
  }
  const bool is_double = header->type == "<f8";
  const std::string data = bytes.substr(header->offset);
  RequireSize(*header, is_double ? 8 : 4, data.size(), file);
  const checkpoint::TensorView view = {.name = "latents",
                                       .dtype = is_double ? "F64" : "F32",
                                       .shape = {header->shape.begin(), header->shape.end()},
                                       .data = std::as_bytes(std::span(data))};
  return {view.shape, checkpoint::ToFloats(view, file)};
}

std::string NpyHeader(const std::vector<std::size_t>& shape) {
  constexpr std::size_t kAlignment = 64;
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const std::size_t extent : shape) text += std::to_string(extent) + ", ";
  text += "), }";
  const std::size_t before = storage::kNpyMagic.size() + 4;
  // numpy.lib.format requires this alignment, so that the numbers can be mapped into memory.
  text.append(kAlignment - 1 - (before + text.size()) % kAlignment, ' ');
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  return std::string(storage::kNpyMagic) + '\1' + '\0' + static_cast<char>(length & 255) +
         static_cast<char>(length >> 8) + text;
}

void WriteNpy(const std::filesystem::path& file, const std::vector<std::size_t>& shape, std::span<const float> values) {
  storage::AtomicFile out(file);
  out.Append(NpyHeader(shape));
  out.Append(std::as_bytes(values));
  out.Commit();
}

}  // namespace gan::generate
