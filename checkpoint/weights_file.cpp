#include "checkpoint/weights_file.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "checkpoint/safetensors.h"
#include "storage/errors.h"

namespace gan::checkpoint {

namespace {

constexpr std::string_view kFirst = "0.weight";  // the first convolution, which every supported network has

// Reads elements by memcpy, because a tensor in a file need not be aligned for its type.
template <typename Stored, typename Convert>
std::vector<float> Converted(const TensorView& tensor, const Convert& convert) {
  std::vector<float> values(tensor.data.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, tensor.data.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = convert(stored);
  }
  return values;
}

// bfloat16 is the upper half of a float.
float FromBrainFloat(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

// IEEE 754 binary16: subnormal numbers have exponent 0, infinity and NaN have exponent 31.
float FromHalf(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) return fraction != 0 ? std::nanf("") : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                               : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25));
}

// torch.save writes a ZIP archive or, before version 1.6, a bare pickle, which begins with its protocol version. The
// length field of a safetensors file could begin with the same bytes, but only with lengths above the limit.
bool IsPickle(std::span<const std::byte> bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) return false;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length <= kMaxHeaderBytes) return false;
  const std::string_view begin(reinterpret_cast<const char*>(bytes.data()), 4);
  return begin == "PK\x03\x04" || (begin[0] == '\x80' && begin[1] >= 2 && begin[1] <= 5);
}

// The message contains the commands that convert the file, so that the user need not search for them.
void RefusePickle(std::span<const std::byte> bytes, const std::filesystem::path& file) {
  if (!IsPickle(bytes)) return;
  std::filesystem::path target = file;
  target.replace_extension(".safetensors");
  throw DataError(
      file,
      "is a pickle of PyTorch, which may run any program when it is read. Turn it into safetensors once, in "
      "Python:\n  import torch, safetensors.torch\n  weights = torch.load('" +
          file.string() + "', map_location='cpu', weights_only=True)\n  safetensors.torch.save_file({k: " +
          "v.contiguous() for k, v in weights.items()}, '" + target.string() + "')");
}

}  // namespace

TensorsByName ViewByName(const std::vector<OwnedTensor>& tensors) {
  TensorsByName views;
  for (const OwnedTensor& t : tensors) views[t.name] = {t.name, t.dtype, t.shape, t.data};
  return views;
}

std::vector<float> ToFloats(const TensorView& tensor, const std::filesystem::path& file) {
  if (tensor.dtype == "F32") return Converted<float>(tensor, [](float x) { return x; });
  if (tensor.dtype == "F64") return Converted<double>(tensor, [](double x) { return static_cast<float>(x); });
  if (tensor.dtype == "BF16") return Converted<std::uint16_t>(tensor, FromBrainFloat);
  if (tensor.dtype == "F16") return Converted<std::uint16_t>(tensor, FromHalf);
  throw DataError(file, "tensor " + tensor.name + " has the type " + tensor.dtype + ", which is not a type of weights");
}

WeightsFile::WeightsFile(const std::filesystem::path& file) : mapped_(file) {
  RefusePickle(mapped_.bytes(), file);
  try {
    for (TensorView& tensor : DecodeSafetensors(mapped_.bytes(), file)) tensors_[tensor.name] = tensor;
  } catch (const DataError&) {
    mapped_.RequireRead();  // unreadable pages are read as zeros and would look like damage
    throw;
  }
}

const TensorView* WeightsFile::Find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

// A name such as "10.weight" also ends with "0.weight", hence the check for a dot.
std::string WeightsFile::PrefixOf(const std::string& network) const {
  // Scripts wrap their layers in a module, "main." in PyTorch's DCGAN example, and one file may hold both networks.
  if (Find(network + "." + std::string(kFirst)) != nullptr) return network + ".";
  std::vector<std::string> prefixes;
  for (const auto& item : tensors_) {
    const std::string& name = item.first;
    if (!name.ends_with(kFirst)) continue;
    const std::string prefix = name.substr(0, name.size() - kFirst.size());
    if (prefix.empty() || prefix.back() == '.') prefixes.push_back(prefix);
  }
  if (prefixes.size() == 1) return prefixes.front();
  throw DataError(path(), prefixes.empty() ? "no tensor is named 0.weight, with or without a prefix such as main."
                                           : "several tensors are named ….0.weight and none " + network + ".0.weight");
}

}  // namespace gan::checkpoint
