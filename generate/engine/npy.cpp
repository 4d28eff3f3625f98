#include "generate/engine/npy.h"

#include <regex>
#include <string>

#include "checkpoint/weights_file.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::generate {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct Header {
  std::string text;  // a Python dictionary
  std::size_t data_at = 0;
};

Header FindHeader(const std::string& bytes, const std::filesystem::path& file) {
  if (bytes.size() < 12 || !bytes.starts_with(kMagic)) throw DataError(file, 0, "is no .npy file");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const bool wide = byte(6) >= 2;
  const std::size_t length = byte(8) | byte(9) << 8 | (wide ? byte(10) << 16 | byte(11) << 24 : 0);
  const std::size_t begin = wide ? 12 : 10;
  if (length > bytes.size() - begin) throw DataError(file, 8, "the header is longer than the file");
  return {bytes.substr(begin, length), begin + length};
}

std::vector<std::int64_t> ParseShape(const std::string& text) {
  static const std::regex kNumber("[0-9]{1,9}");
  std::vector<std::int64_t> shape;
  for (std::sregex_iterator i(text.begin(), text.end(), kNumber), end; i != end; ++i)
    shape.push_back(std::stoll(i->str()));
  return shape;
}

}  // namespace

NumberArray ReadNpy(const std::filesystem::path& file) {
  static const std::regex kKeys(R"re(\{'descr': '<f([48])', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \}\s*)re");
  const std::string bytes = storage::ReadFile(file, std::uint64_t{1} << 32);
  const Header header = FindHeader(bytes, file);
  std::smatch found;
  if (!std::regex_match(header.text, found, kKeys)) {
    throw DataError(file, 10, "must be float32 or float64 in C order; save it with np.save(file, x.astype('<f4'))");
  }
  const std::string data = bytes.substr(header.data_at);
  const checkpoint::TensorView view = {.name = "latents",
                                       .dtype = found[1] == "4" ? "F32" : "F64",
                                       .shape = ParseShape(found[2]),
                                       .data = std::as_bytes(std::span(data))};
  std::size_t expected = found[1] == "4" ? 4 : 8;
  for (const std::int64_t extent : view.shape) expected *= static_cast<std::size_t>(extent);
  if (data.size() != expected) throw DataError(file, header.data_at, "has another size than its shape says");
  return {view.shape, checkpoint::ToFloats(view, file)};
}

std::string NpyHeader(const std::vector<std::size_t>& shape) {
  constexpr std::size_t kAlignment = 64;
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const std::size_t extent : shape) text += std::to_string(extent) + ", ";
  text += "), }";
  const std::size_t before = kMagic.size() + 4;
  text.append(kAlignment - 1 - (before + text.size()) % kAlignment, ' ');
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  return std::string(kMagic) + '\1' + '\0' + static_cast<char>(length & 255) + static_cast<char>(length >> 8) + text;
}

void WriteNpy(const std::filesystem::path& file, const std::vector<std::size_t>& shape, std::span<const float> values) {
  storage::AtomicFile out(file);
  out.Append(NpyHeader(shape));
  out.Append(std::as_bytes(values));
  out.Commit();
}

}  // namespace gan::generate
