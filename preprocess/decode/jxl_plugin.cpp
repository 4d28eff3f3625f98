// JPEG XL by libjxl: the first frame, upright, in its stored colour space.
#include <jxl/decode.h>

#include <cstdint>
#include <memory>
#include <string>

#include "preprocess/decode/decoder_plugin.h"

namespace {

struct Destroy {
  void operator()(JxlDecoder* decoder) const { JxlDecoderDestroy(decoder); }
};

constexpr int kOwnBytes = 3 * 4 * 2;  // floats, some of them twice

int Fail(const GanDecodeHost& host, int result, const char* why) {
  host.explain(host.context, why);
  return result;
}

// The black of CMYK is an extra channel, which RGB leaves out.
bool HasBlack(JxlDecoder* decoder, const JxlBasicInfo& info) {
  for (std::uint32_t i = 0; i < info.num_extra_channels; ++i) {
    JxlExtraChannelInfo extra;
    if (JxlDecoderGetExtraChannelInfo(decoder, i, &extra) == JXL_DEC_SUCCESS && extra.type == JXL_CHANNEL_BLACK)
      return true;
  }
  return false;
}

int SetOutput(JxlDecoder* decoder, const GanDecodeHost& host) {
  JxlBasicInfo info;
  if (JxlDecoderGetBasicInfo(decoder, &info) != JXL_DEC_SUCCESS) return kGanCorrupt;
  if (HasBlack(decoder, info)) return Fail(host, kGanUnsupported, "JPEG XL: CMYK");
  const int channels = info.alpha_bits > 0 ? 4 : 3;
  std::uint8_t* out = host.allocate(host.context, info.xsize, info.ysize, channels, kOwnBytes);
  if (out == nullptr) return kGanRefused;
  const JxlPixelFormat format = {static_cast<std::uint32_t>(channels), JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};
  const std::size_t bytes = std::size_t{info.xsize} * info.ysize * static_cast<std::size_t>(channels);
  return JxlDecoderSetImageOutBuffer(decoder, &format, out, bytes) == JXL_DEC_SUCCESS
             ? kGanDecoded
             : Fail(host, kGanUnsupported, "JPEG XL: no RGB can be made of it");
}

int Decode(JxlDecoder* decoder, const GanDecodeHost& host) {
  for (;;) {
    // In an animation, the first frame is decoded. The event that asks for a buffer comes without a subscription.
    switch (JxlDecoderProcessInput(decoder)) {
      case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
        if (const int result = SetOutput(decoder, host); result != kGanDecoded) return result;
        break;
      case JXL_DEC_FULL_IMAGE:
        return kGanDecoded;
      case JXL_DEC_NEED_MORE_INPUT:
        return Fail(host, kGanTruncated, "JPEG XL: the data ends early");
      case JXL_DEC_SUCCESS:
        return Fail(host, kGanCorrupt, "JPEG XL: holds no picture");
      default:
        return Fail(host, kGanCorrupt, "JPEG XL: damaged");
    }
  }
}

}  // namespace

int GanDecode(const std::uint8_t* file, std::size_t bytes, const GanDecodeHost* host) {
  // Without a runner libjxl starts no threads. Several pictures are decoded at the same time instead.
  const std::unique_ptr<JxlDecoder, Destroy> owned(JxlDecoderCreate(nullptr));
  JxlDecoder* decoder = owned.get();
  if (decoder == nullptr || JxlDecoderSubscribeEvents(decoder, JXL_DEC_FULL_IMAGE) != JXL_DEC_SUCCESS ||
      JxlDecoderSetUnpremultiplyAlpha(decoder, JXL_TRUE) != JXL_DEC_SUCCESS ||
      JxlDecoderSetInput(decoder, file, bytes) != JXL_DEC_SUCCESS) {
    return Fail(*host, kGanCorrupt, "JPEG XL: the decoder cannot be set up");
  }
  JxlDecoderCloseInput(decoder);
  return Decode(decoder, *host);
}

const char* GanDecoderLibrary() {
  static const std::string kVersion = [] {
    const std::uint32_t version = JxlDecoderVersion();
    return "libjxl " + std::to_string(version / 1000000) + "." + std::to_string(version / 1000 % 1000) + "." +
           std::to_string(version % 1000);
  }();
  return kVersion.c_str();
}
