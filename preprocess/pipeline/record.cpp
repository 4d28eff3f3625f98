#include "preprocess/pipeline/record.h"

#include <optional>
#include <utility>

#include "preprocess/decode/decode_jpeg.h"
#include "preprocess/decode/formats.h"
#include "preprocess/decode/orientation.h"
#include "preprocess/pipeline/record_worker.h"

namespace gan::preprocess {

namespace {

// Resizes a picture while it is decoded.
class Resize : public RowSink {
 public:
  explicit Resize(const RecordOptions& options) : options_(options) {}
  void Begin(const Region& where, std::uint32_t width, std::uint32_t height) override {
    resizer_.emplace(where, width, height, options_.size, options_.filter, BestKernels(), options_.crop);
  }
  void Take(const std::uint8_t* rows, std::size_t row_bytes, std::uint32_t count) override {
    resizer_->Take(rows, row_bytes, count);
  }
  Rgb8 Finish() { return resizer_->Finish(); }

 private:
  const RecordOptions& options_;
  std::optional<RowResizer> resizer_;
};

Rgb8 RecordOfJpeg(std::span<const std::byte> file, const RecordOptions& options) {
  const bool fast = options.mode == DecodeMode::kFast;
  // The decoded picture is at least twice as large as the record, which leaves enough for the filter of the resize.
  const unsigned scale = fast ? JpegScale(file, options.decode, 2 * options.size) : 1;
  const int orientation = options.decode.apply_exif ? OrientationOfJpeg(file) : 1;
  // Turning a picture may need its last rows first, so it cannot be resized row by row while it is decoded.
  if (orientation != 1) {
    const Rgb8 turned = Turned(DecodeJpegScaled(file, options.decode, scale), orientation);
    return ResizeAndCrop(turned, options.size, options.filter, BestKernels(), options.crop);
  }
  Resize resize(options);
  DecodeJpegRows(file, options.decode, {options.size, options.filter, options.crop, scale}, resize);
  return resize.Finish();
}

Rgb8 ToRgb(const Contents& contents, const std::array<std::uint8_t, 3>& background) {
  const std::span values(reinterpret_cast<const std::uint8_t*>(contents.bytes.data()), contents.bytes.size());
  if (contents.channels == 4) return Composite(values, contents.width, contents.height, background);
  Rgb8 out(contents.width, contents.height);
  for (std::size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = values[contents.channels == 1 ? i / 3 : i];
  return out;
}

}  // namespace

Record MakeRecordOfPixels(const Contents& pixels, const RecordOptions& options) {
  RequireRoom(pixels.width, pixels.height, 3, options.decode);
  return {ResizeAndCrop(ToRgb(pixels, options.decode.background), options.size, options.filter, BestKernels(),
                        options.crop),
          "array", "gan-preprocess"};
}

std::string_view Name(DecodeMode mode) { return mode == DecodeMode::kFast ? "fast" : "exact"; }

Record MakeRecord(std::span<const std::byte> file, const RecordOptions& options) {
  const Format& format = RecogniseOrReject(file);
  return format.apart && HasWorkers() ? MakeRecordApart(file, options) : MakeRecordHere(file, options);
}

Record MakeRecordHere(std::span<const std::byte> file, const RecordOptions& options) {
  const Format& format = RecogniseOrReject(file);
  Rgb8 picture = format.decode == DecodeJpeg ? RecordOfJpeg(file, options)
                                             : ResizeAndCrop(DecodeAs(format, file, options.decode), options.size,
                                                             options.filter, BestKernels(), options.crop);
  return {std::move(picture), std::string(format.name), format.library()};
}

}  // namespace gan::preprocess
