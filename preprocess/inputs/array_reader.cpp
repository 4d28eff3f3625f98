#include "preprocess/inputs/array_reader.h"

#include <utility>

#include "preprocess/image/rejected.h"

namespace gan::preprocess {

namespace {

// The next steps expect the channels of a pixel side by side, as decoders write them.
std::vector<std::byte> Interleaved(const std::vector<std::byte>& planes, std::size_t channels) {
  const std::size_t pixels = planes.size() / channels;
  std::vector<std::byte> out(planes.size());
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < pixels; ++i) out[i * channels + c] = planes[c * pixels + i];
  }
  return out;
}

class ArrayReader : public ContainerReader {
 public:
  ArrayReader(const ByteOrigin& origin, const PictureArray& layout) : source_(origin), layout_(layout) {}

  Contents Read(std::uint32_t position, std::uint64_t bytes) override {
    std::vector<std::byte> pixels(bytes);
    // All pictures have one size, so their offsets follow from their numbers.
    const std::uint64_t at = layout_.offset + position * layout_.stride() + layout_.prefix;
    if (source_.ReadAt(at, pixels) < bytes) throw Rejected(Reason::kTruncated, "the array ends inside it");
    if (layout_.is_planar && layout_.channels > 1) pixels = Interleaved(pixels, layout_.channels);
    return {std::move(pixels), layout_.width, layout_.height, layout_.channels};
  }

 private:
  ByteSource source_;
  const PictureArray layout_;
};

}  // namespace

std::unique_ptr<ContainerReader> OpenArray(const ByteOrigin& origin, const PictureArray& layout) {
  return std::make_unique<ArrayReader>(origin, layout);
}

}  // namespace gan::preprocess
