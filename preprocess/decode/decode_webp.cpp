#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "preprocess/decode/decode.h"

namespace gan::preprocess {

namespace {

struct DeleteDecoder {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

}  // namespace

// Decoded with the animation decoder, as in Pillow: a still picture is an animation of one frame.
Rgb8 DecodeWebp(std::span<const std::byte> file, const DecodeOptions& options) {
  const WebPData data = {reinterpret_cast<const std::uint8_t*>(file.data()), file.size()};
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data.bytes, data.size, &features) != VP8_STATUS_OK) {
    throw Rejected(Reason::kCorrupt, "WebP: the header is damaged");
  }
  // Checked before WebPAnimDecoderNew(), which allocates two canvases.
  RequireSize(static_cast<std::uint64_t>(features.width), static_cast<std::uint64_t>(features.height), options);
  WebPAnimDecoderOptions animation;
  WebPAnimDecoderOptionsInit(&animation);
  animation.color_mode = MODE_RGBA;
  const std::unique_ptr<WebPAnimDecoder, DeleteDecoder> decoder(WebPAnimDecoderNew(&data, &animation));
  if (decoder == nullptr) throw Rejected(Reason::kTruncated, "WebP: the container is damaged or ends early");
  WebPAnimInfo info;
  WebPAnimDecoderGetInfo(decoder.get(), &info);
  RequireRoom(info.canvas_width, info.canvas_height, 3 * 4 + 3, options);  // two canvases, YUV, RGB
  std::uint8_t* frame = nullptr;
  int timestamp = 0;
  if (WebPAnimDecoderGetNext(decoder.get(), &frame, &timestamp) == 0) {
    throw Rejected(Reason::kCorrupt, "WebP: the picture data is damaged");
  }
  const std::size_t bytes = std::size_t{4} * info.canvas_width * info.canvas_height;
  // If the file declares no alpha, pixels outside the first frame are black, whatever the decoder's canvas contains.
  if (features.has_alpha == 0) {
    for (std::size_t i = 3; i < bytes; i += 4) frame[i] = 255;
  }
  return Composite({frame, bytes}, info.canvas_width, info.canvas_height, options.background);
}

}  // namespace gan::preprocess
