#include "preprocess/decode/orientation.h"
#include "storage/byte_order.h"

#include <cctype>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

namespace gan::preprocess {

namespace {

// Broken metadata must never reject a picture that can be decoded. Anything unexpected ends the search here, and the
// picture stays as it is stored.
using FileSpan = std::span<const std::byte>;

// Reads a number of 2 or 4 bytes in either byte order; 0 beyond the end, which is not a valid tag.
std::uint32_t Number(FileSpan bytes, std::size_t at, std::size_t count, bool big_endian) {
  if (at > bytes.size() || count > bytes.size() - at) return 0;
  const FileSpan number = bytes.subspan(at, count);
  return static_cast<std::uint32_t>(big_endian ? storage::BigEndian(number) : storage::LittleEndian(number));
}

bool HasAt(FileSpan bytes, std::size_t at, std::string_view text) {
  return at <= bytes.size() && text.size() <= bytes.size() - at &&
         std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

// A TIFF header, then IFD0: entries of 12 bytes (tag, type, count, value).
std::optional<int> OrientationOfExif(FileSpan tiff) {
  using namespace std::string_view_literals;
  const bool big = HasAt(tiff, 0, "MM\0*"sv);
  if (!big && !HasAt(tiff, 0, "II*\0"sv)) return std::nullopt;
  const std::size_t directory = Number(tiff, 4, 4, big);
  // Offsets and counts come from the file. Bytes beyond its end read as 0, so the loop does no harm.
  const std::uint32_t entries = Number(tiff, directory, 2, big);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + std::size_t{12} * i;
    if (Number(tiff, entry, 2, big) != 0x0112) continue;
    const std::uint32_t value = Number(tiff, entry + 8, Number(tiff, entry + 2, 2, big) == 4 ? 4 : 2, big);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return std::nullopt;
}

// The second place that Pillow reads: the first `tiff:Orientation="` or `tiff:Orientation>` of an XMP text, then a
// digit.
int OrientationOfXmp(FileSpan xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  const std::string_view text(reinterpret_cast<const char*>(xmp.data()), xmp.size());
  for (std::size_t at = text.find(kName); at != text.npos; at = text.find(kName, at + 1)) {
    std::string_view rest = text.substr(at + kName.size());
    if (rest.starts_with("=\"")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with('>')) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (rest.empty() || rest[0] < '0' || rest[0] > '9') continue;
    return rest[0] >= '1' && rest[0] <= '8' ? rest[0] - '0' : 1;
  }
  return 1;
}

// The orientation in each of the two places. EXIF has priority if it contains the tag.
struct Metadata {
  FileSpan exif;
  FileSpan xmp;
  int Orientation() const {
    const std::optional<int> of_exif = OrientationOfExif(exif);
    return of_exif ? *of_exif : OrientationOfXmp(xmp);
  }
};

// An older way of ImageMagick and ExifTool to store EXIF in a PNG: a text of this name, compressed or not.
constexpr std::string_view kProfileName = "Raw profile type exif";
constexpr std::size_t kMostProfileBytes = std::size_t{1} << 20;

std::optional<std::string> RawProfile(FileSpan kind, FileSpan payload) {
  const bool compressed = HasAt(kind, 0, "zTXt");
  const std::size_t at = kProfileName.size() + 1 + (compressed ? 1 : 0);
  if ((!compressed && !HasAt(kind, 0, "tEXt")) || payload.size() < at || !HasAt(payload, 0, kProfileName) ||
      payload[kProfileName.size()] != std::byte{0}) {
    return std::nullopt;
  }
  const FileSpan text = payload.subspan(at);
  if (!compressed) return std::string(reinterpret_cast<const char*>(text.data()), text.size());
  std::string unpacked(kMostProfileBytes, '\0');
  uLongf bytes = unpacked.size();
  const auto* in = reinterpret_cast<const Bytef*>(text.data());
  if (uncompress(reinterpret_cast<Bytef*>(unpacked.data()), &bytes, in, text.size()) != Z_OK) return std::nullopt;
  unpacked.resize(bytes);
  return unpacked;
}

// Three line ends, then hexadecimal digits and white space; empty if there is anything else. "Exif\0\0" is optional.
std::vector<std::byte> BytesOfRawProfile(std::string_view text) {
  for (int i = 0; i < 3; ++i) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  std::vector<std::byte> bytes;
  unsigned value = 1;  // with a leading one: 0x1X is half a byte, 0x1XX a complete one
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return {};
    value = value << 4 | static_cast<unsigned>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    if (value < 256) continue;
    bytes.push_back(static_cast<std::byte>(value));
    value = 1;
  }
  constexpr std::size_t kMark = 6;
  if (HasAt(bytes, 0, std::string_view("Exif\0\0", kMark))) bytes.erase(bytes.begin(), bytes.begin() + kMark);
  return bytes;
}

}  // namespace

int OrientationOfJpeg(FileSpan file) {
  using namespace std::string_view_literals;
  Metadata found;
  std::size_t at = 2;
  while (at + 4 <= file.size() && file[at] == std::byte{0xFF}) {
    const auto marker = static_cast<unsigned>(file[at + 1]);
    if (marker == 0xDA || marker == 0xD9) break;  // the picture's data begins
    const std::size_t length = Number(file, at + 2, 2, true);
    if (length < 2 || length > file.size() - at - 2) break;
    const FileSpan payload = file.subspan(at + 4, length - 2);
    constexpr std::string_view kXmp = "http://ns.adobe.com/xap/1.0/\0"sv;
    if (marker == 0xE1 && HasAt(payload, 0, "Exif\0\0"sv) && found.exif.empty()) found.exif = payload.subspan(6);
    if (marker == 0xE1 && HasAt(payload, 0, kXmp)) found.xmp = payload.subspan(kXmp.size());
    at += 2 + length;
  }
  return found.Orientation();
}

int OrientationOfPng(FileSpan file) {
  using namespace std::string_view_literals;
  std::vector<std::byte> profile;
  // Keyword, not compressed, no language, no translation.
  constexpr std::string_view kXmp = "XML:com.adobe.xmp\0\0\0\0\0"sv;
  Metadata found;
  std::size_t at = 8;
  while (at + 12 <= file.size()) {
    const std::size_t length = Number(file, at, 4, true);
    if (length > file.size() - at - 12) break;
    const FileSpan payload = file.subspan(at + 8, length);
    if (HasAt(file, at + 4, "eXIf")) found.exif = payload;
    if (const auto text = RawProfile(file.subspan(at + 4, 4), payload)) profile = BytesOfRawProfile(*text);
    if (HasAt(file, at + 4, "iTXt") && HasAt(payload, 0, kXmp)) found.xmp = payload.subspan(kXmp.size());
    at += 12 + length;
  }
  if (found.exif.empty()) found.exif = profile;
  return found.Orientation();
}

int OrientationOfWebp(FileSpan file) {
  using namespace std::string_view_literals;
  Metadata found;
  std::size_t at = 12;
  while (at + 8 <= file.size()) {
    const std::size_t length = Number(file, at + 4, 4, false);
    if (length > file.size() - at - 8) break;
    const FileSpan payload = file.subspan(at + 8, length);
    if (HasAt(file, at, "EXIF")) found.exif = HasAt(payload, 0, "Exif\0\0"sv) ? payload.subspan(6) : payload;
    if (HasAt(file, at, "XMP ")) found.xmp = payload;
    at += 8 + length + length % 2;
  }
  return found.Orientation();
}

Rgb8 Turned(const Rgb8& image, int orientation) {
  if (orientation == 1) return image;
  // For orientations 5 to 8 rows and columns are exchanged before the mirroring.
  const bool swaps = orientation >= 5;
  Rgb8 out(swaps ? image.height : image.width, swaps ? image.width : image.height);
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (std::uint32_t y = 0; y < out.height; ++y) {
    for (std::uint32_t x = 0; x < out.width; ++x) {
      // The position of this pixel in the stored picture.
      std::uint32_t from_x = swaps ? y : x;
      std::uint32_t from_y = swaps ? x : y;
      if (mirror_x) from_x = image.width - 1 - from_x;
      if (mirror_y) from_y = image.height - 1 - from_y;
      std::memcpy(&out.pixels[std::size_t{3} * (std::size_t{y} * out.width + x)],
                  &image.pixels[std::size_t{3} * (std::size_t{from_y} * image.width + from_x)], 3);
    }
  }
  return out;
}

}  // namespace gan::preprocess
