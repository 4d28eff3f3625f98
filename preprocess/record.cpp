#include "preprocess/record.h"

#include "preprocess/decode_jpeg.h"
#include "preprocess/orientation.h"

namespace gan::preprocess {

namespace {

bool IsJpeg(std::span<const std::byte> file) {
  return file.size() > 2 && file[0] == std::byte{0xFF} && file[1] == std::byte{0xD8} && file[2] == std::byte{0xFF};
}

}  // namespace

std::string_view Name(DecodeMode mode) { return mode == DecodeMode::kFast ? "fast" : "exact"; }

Rgb8 MakeRecord(std::span<const std::byte> file, const RecordOptions& options) {
  if (IsJpeg(file)) {
    const int orientation = options.decode.apply_exif ? FindOrientation(file) : 1;
    if (options.mode == DecodeMode::kFast) {
      const Rgb8 image = DecodeJpegScaled(file, options.decode, 2 * options.size);
      return ResizeAndCrop(orientation == 1 ? image : Turned(image, orientation), options.size, options.filter);
    }
    if (orientation == 1) {
      const JpegPart part = DecodeJpegPart(file, options.decode, options.size, options.filter);
      return ResizeAndCropPart(part.image, part.where, part.width, part.height, options.size, options.filter);
    }
  }
  return ResizeAndCrop(Decode(file, options.decode), options.size, options.filter);
}

}  // namespace gan::preprocess
