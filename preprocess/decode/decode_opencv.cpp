// The formats that only OpenCV reads. OpenCV allocates before this program can check the size, so the size is read from
// the header here.
#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <string>

#include "preprocess/decode/decode.h"
#include "preprocess/decode/formats.h"
#include "preprocess/decode/plugin.h"
#include "storage/byte_order.h"

namespace gan::preprocess {

namespace {

constexpr const char* kOpenCv = "libgan_opencv.so";
constexpr std::uint64_t kBytesPerPixel = 12;  // OpenCV's own memory: at most three floats

Rgb8 Decode(FileBytes file, std::uint64_t width, std::uint64_t height, const DecodeOptions& options) {
  // The plugin passes the file to OpenCV as a matrix of one row, whose number of columns is an int.
  if (file.size() > std::numeric_limits<int>::max()) throw Rejected(Reason::kTooLarge, "the file has over 2 GiB");
  RequireRoom(width, height, kBytesPerPixel, options);
  return DecodeWithPlugin(kOpenCv, "", Turning::kAsAsked, file, options);
}

}  // namespace

std::string OpenCvLibrary() { return LibraryOfPlugin(kOpenCv); }

// Marker SIZ begins every codestream: Xsiz, Ysiz, XOsiz, YOsiz.
Rgb8 DecodeJpeg2000(FileBytes file, const DecodeOptions& options) {
  constexpr std::array kStart = {std::byte{0xFF}, std::byte{0x4F}, std::byte{0xFF}, std::byte{0x51}};
  // The boxes of a JP2 file in front of the codestream are skipped without parsing them.
  const auto found = std::search(file.begin(), file.end(), kStart.begin(), kStart.end());
  if (file.end() - found < 24) throw Rejected(Reason::kCorrupt, "JPEG 2000: no codestream");
  const auto siz = static_cast<std::size_t>(found - file.begin()) + 8;
  const auto side = [&](std::size_t at) {
    const std::uint64_t whole = storage::BigEndian(file.subspan(at, 4));
    const std::uint64_t offset = storage::BigEndian(file.subspan(at + 8, 4));
    return whole > offset ? whole - offset : 0;
  };
  return Decode(file, side(siz), side(siz + 4), options);
}

// The header: lines of text, an empty line, "-Y HEIGHT +X WIDTH".
Rgb8 DecodeHdr(FileBytes file, const DecodeOptions& options) {
  const std::string head(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 4096));
  const std::size_t end = head.find("\n\n");
  unsigned width = 0, height = 0;
  if (end == head.npos || std::sscanf(head.c_str() + end, " -Y %u +X %u", &height, &width) != 2) {
    throw Rejected(Reason::kUnsupported, "Radiance HDR: rows that do not go from the top");
  }
  return Decode(file, width, height, options);
}

}  // namespace gan::preprocess
