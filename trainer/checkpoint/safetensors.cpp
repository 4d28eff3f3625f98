#include "trainer/checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "storage/errors.h"

namespace gan::checkpoint {

namespace {

using nlohmann::json;

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxCount = std::numeric_limits<std::int64_t>::max();

struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// nlohmann keeps the last of two equal keys; a hostile header could hide a tensor behind that.
json ParseWithoutDuplicates(const std::string& text, const std::filesystem::path& file) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw DataError(file, kLengthBytes, "the header names " + parsed.get<std::string>() + " twice");
    }
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::parse_error& error) {
    throw DataError(file, kLengthBytes + error.byte, "the header is not JSON");
  } catch (const json::exception& error) {
    throw DataError(file, kLengthBytes, std::string("the header holds a value out of range: ") + error.what());
  }
}

// The product of the shape and the type's size, or an error when it does not fit 64 bits.
std::uint64_t ByteCount(const TensorView& tensor, const std::filesystem::path& file) {
  std::uint64_t bytes = DtypeBytes(tensor.dtype);
  if (bytes == 0)
    throw DataError(file, kLengthBytes, "tensor " + tensor.name + " has the unknown type " + tensor.dtype);
  for (const std::int64_t extent : tensor.shape) {
    const auto factor = static_cast<std::uint64_t>(extent);
    if (factor != 0 && bytes > std::numeric_limits<std::uint64_t>::max() / factor) {
      throw DataError(file, kLengthBytes, "tensor " + tensor.name + " has an impossible shape");
    }
    bytes *= factor;
  }
  return bytes;
}

// nlohmann's own conversion would cut fractions and wrap what is negative without a word.
template <typename Number>
std::vector<Number> Counts(const json& list, const std::string& name, const std::filesystem::path& file) {
  if (!list.is_array()) throw DataError(file, kLengthBytes, "tensor " + name + " has no list where one must be");
  std::vector<Number> counts;
  for (const json& value : list) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMaxCount) {
      throw DataError(file, kLengthBytes, "tensor " + name + " has " + value.dump() + " where a count must be");
    }
    counts.push_back(value.get<Number>());
  }
  return counts;
}

TensorView DecodeEntry(const std::string& name, const json& entry, std::span<const std::byte> data,
                       std::uint64_t data_at, const std::filesystem::path& file, Extent& extent) {
  TensorView tensor;
  tensor.name = name;
  tensor.dtype = entry.at("dtype").get<std::string>();
  tensor.shape = Counts<std::int64_t>(entry.at("shape"), name, file);
  const auto offsets = Counts<std::uint64_t>(entry.at("data_offsets"), name, file);
  if (offsets.size() != 2) throw DataError(file, kLengthBytes, "tensor " + name + " needs two offsets");
  extent = {offsets[0], offsets[1]};
  if (extent.begin > extent.end || extent.end > data.size()) {
    throw DataError(file, data_at + extent.begin, "tensor " + name + " lies outside the file");
  }
  if (extent.end - extent.begin != ByteCount(tensor, file)) {
    throw DataError(file, data_at + extent.begin, "tensor " + name + " has another size than its shape says");
  }
  tensor.data = data.subspan(extent.begin, extent.end - extent.begin);
  return tensor;
}

void RequireGapless(std::vector<Extent> extents, std::uint64_t size, std::uint64_t data_at,
                    const std::filesystem::path& file) {
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

std::size_t DtypeBytes(const std::string& dtype) {
  static const std::map<std::string, std::size_t> kSizes = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2},
                                                            {"I64", 8}, {"I32", 4}, {"U8", 1},  {"BOOL", 1}};
  const auto found = kSizes.find(dtype);
  return found == kSizes.end() ? 0 : found->second;
}

std::string EncodeHeader(const std::vector<TensorView>& tensors) {
  json header = json::object();
  std::uint64_t offset = 0;
  for (const TensorView& tensor : tensors) {
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + tensor.data.size()}}};
    offset += tensor.data.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string bytes(kLengthBytes, '\0');
  const std::uint64_t length = text.size();
  std::memcpy(bytes.data(), &length, kLengthBytes);
  return bytes + text;
}

std::vector<TensorView> DecodeSafetensors(std::span<const std::byte> bytes, const std::filesystem::path& file) {
  if (bytes.size() < kLengthBytes) throw DataError(file, bytes.size(), "is too short for a safetensors file");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMaxHeaderBytes || length > bytes.size() - kLengthBytes) {
    throw DataError(file, 0, "the header's length is beyond the file or the limit");
  }
  const auto* text = reinterpret_cast<const char*>(bytes.data() + kLengthBytes);
  const json header = ParseWithoutDuplicates(std::string(text, length), file);
  if (!header.is_object()) throw DataError(file, kLengthBytes, "the header is not a JSON object");
  const std::uint64_t data_at = kLengthBytes + length;
  const std::span<const std::byte> data = bytes.subspan(data_at);
  std::vector<TensorView> tensors;
  std::vector<Extent> extents;
  try {
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      tensors.push_back(DecodeEntry(name, entry, data, data_at, file, extents.emplace_back()));
    }
  } catch (const json::exception& error) {
    throw DataError(file, kLengthBytes, std::string("the header is not as it must be: ") + error.what());
  }
  RequireGapless(std::move(extents), data.size(), data_at, file);
  return tensors;
}

}  // namespace gan::checkpoint
