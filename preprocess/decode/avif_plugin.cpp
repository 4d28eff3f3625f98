// AVIF by libavif: the first picture of a sequence, with grids and alpha assembled, in its stored orientation.
#include <avif/avif.h>

#include <memory>
#include <string>

#include "preprocess/decode/decoder_plugin.h"

namespace {

struct Destroy {
  void operator()(avifDecoder* decoder) const { avifDecoderDestroy(decoder); }
};

int Failed(avifResult result, const GanDecodeHost& host) {
  const std::string why = std::string("AVIF: ") + avifResultToString(result);
  host.explain(host.context, why.c_str());
  if (result == AVIF_RESULT_TRUNCATED_DATA) return kGanTruncated;
  const bool unsupported = result == AVIF_RESULT_NOT_IMPLEMENTED || result == AVIF_RESULT_UNSUPPORTED_DEPTH ||
                           result == AVIF_RESULT_NO_CODEC_AVAILABLE || result == AVIF_RESULT_REFORMAT_FAILED;
  return unsupported ? kGanUnsupported : kGanCorrupt;
}

// An AVIF file states its orientation in two properties: `irot` turns the picture anticlockwise by quarter turns, then
// `imir` mirrors it, top to bottom (0) or left to right (1). EXIF is ignored, as in the standard and in Pillow.
int OrientationOf(const avifImage& image) {
  const bool mirrored = (image.transformFlags & AVIF_TRANSFORM_IMIR) != 0;
  const int quarters = (image.transformFlags & AVIF_TRANSFORM_IROT) != 0 ? image.irot.angle & 3 : 0;
#if AVIF_VERSION_MAJOR >= 1
  const int axis = image.imir.axis & 1;
#else
  const int axis = image.imir.mode & 1;
#endif
  // By quarters: the EXIF orientation that turns and mirrors in the same way.
  constexpr int kPlain[4] = {1, 8, 3, 6};
  constexpr int kMirrored[2][4] = {{4, 5, 2, 7}, {2, 7, 4, 5}};
  return mirrored ? kMirrored[axis][quarters] : kPlain[quarters];
}

int Decode(avifDecoder& decoder, const GanDecodeHost& host) {
  // This reads the boxes only, so that the host is asked for memory before any pixel is decoded.
  avifResult result = avifDecoderParse(&decoder);
  if (result != AVIF_RESULT_OK) return Failed(result, host);
  const avifImage& image = *decoder.image;
  const int channels = decoder.alphaPresent == AVIF_TRUE ? 4 : 3;
  // libavif's planes: Y, U, V and alpha, with two bytes per sample above 8 bits.
  const int own_bytes = image.depth > 8 ? 8 : 4;
  std::uint8_t* out = host.allocate(host.context, image.width, image.height, channels, own_bytes);
  if (out == nullptr) return kGanRefused;
  result = avifDecoderNextImage(&decoder);
  if (result != AVIF_RESULT_OK) return Failed(result, host);
  host.set_orientation(host.context, OrientationOf(image));
  avifRGBImage rgb;
  avifRGBImageSetDefaults(&rgb, &image);
  rgb.depth = 8;
  rgb.format = channels == 4 ? AVIF_RGB_FORMAT_RGBA : AVIF_RGB_FORMAT_RGB;
  rgb.pixels = out;
  rgb.rowBytes = image.width * static_cast<std::uint32_t>(channels);
  result = avifImageYUVToRGB(&image, &rgb);
  return result == AVIF_RESULT_OK ? kGanDecoded : Failed(result, host);
}

}  // namespace

int GanDecode(const std::uint8_t* file, std::size_t bytes, const GanDecodeHost* host) {
  const std::unique_ptr<avifDecoder, Destroy> decoder(avifDecoderCreate());
  if (decoder == nullptr) return kGanCorrupt;
  decoder->maxThreads = 1;  // several pictures are decoded at the same time instead
  decoder->ignoreExif = AVIF_TRUE;
  decoder->ignoreXMP = AVIF_TRUE;
  decoder->imageSizeLimit = AVIF_DEFAULT_IMAGE_SIZE_LIMIT;  // the host's limit is asked before anything is decoded
  // Accepts the odd boxes of some encoders, as Pillow does.
  decoder->strictFlags &= static_cast<avifStrictFlags>(~(AVIF_STRICT_CLAP_VALID | AVIF_STRICT_PIXI_REQUIRED));
  const avifResult result = avifDecoderSetIOMemory(decoder.get(), file, bytes);
  return result == AVIF_RESULT_OK ? Decode(*decoder, *host) : Failed(result, *host);
}

const char* GanDecoderLibrary() {
  static const std::string kVersion = [] {
    char codecs[256] = "";
    avifCodecVersions(codecs);
    return std::string("libavif ") + avifVersion() + " (" + codecs + ")";
  }();
  return kVersion.c_str();
}
