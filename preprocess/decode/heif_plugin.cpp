// HEIC by libheif, which turns pictures and puts grids together itself.
#include <libheif/heif.h>

#include <algorithm>
#include <memory>
#include <string>

#include "preprocess/decode/decoder_plugin.h"

namespace {

template <auto Function>
struct Release {
  void operator()(auto* object) const { Function(object); }
};
using Context = std::unique_ptr<heif_context, Release<heif_context_free>>;
using Handle = std::unique_ptr<heif_image_handle, Release<heif_image_handle_release>>;
using Image = std::unique_ptr<heif_image, Release<heif_image_release>>;

int Failed(const heif_error& error, const GanDecodeHost& host) {
  const std::string why = std::string("HEIC: ") + (error.message == nullptr ? "damaged" : error.message);
  host.explain(host.context, why.c_str());
  if (error.subcode == heif_suberror_End_of_data) return kGanTruncated;
  const bool unsupported = error.code == heif_error_Unsupported_feature || error.code == heif_error_Unsupported_filetype;
  return unsupported ? kGanUnsupported : kGanCorrupt;
}

void CopyRows(const heif_image* image, std::uint8_t* out, std::size_t row_bytes, int height) {
  int stride = 0;
  const std::uint8_t* in = heif_image_get_plane_readonly(image, heif_channel_interleaved, &stride);
  for (int y = 0; y < height; ++y) out = std::copy_n(in + std::ptrdiff_t{y} * stride, row_bytes, out);
}

// Pillow's plugin leaves colours that were multiplied by alpha as they are, and so does this.
int Decode(const heif_image_handle* handle, const GanDecodeHost& host) {
  const int channels = heif_image_handle_has_alpha_channel(handle) != 0 ? 4 : 3;
  const int width = heif_image_handle_get_width(handle), height = heif_image_handle_get_height(handle);
  if (width <= 0 || height <= 0) return kGanCorrupt;
  constexpr int kOwnBytes = 4 + 4;  // YUV and RGB
  std::uint8_t* out = host.allocate(host.context, static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height),
                                    channels, kOwnBytes);
  if (out == nullptr) return kGanRefused;
  heif_image* decoded = nullptr;
  const heif_error error =
      heif_decode_image(handle, &decoded, heif_colorspace_RGB,
                        channels == 4 ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, nullptr);
  const Image image(decoded);
  if (error.code != heif_error_Ok) return Failed(error, host);
  if (heif_image_get_width(decoded, heif_channel_interleaved) != width ||
      heif_image_get_height(decoded, heif_channel_interleaved) != height) {
    host.explain(host.context, "HEIC: its size is not what its header says");
    return kGanCorrupt;
  }
  CopyRows(decoded, out, static_cast<std::size_t>(width) * static_cast<std::size_t>(channels), height);
  return kGanDecoded;
}

}  // namespace

int GanDecode(const std::uint8_t* file, std::size_t bytes, const GanDecodeHost* host) {
  const Context context(heif_context_alloc());
  heif_context_set_max_decoding_threads(context.get(), 0);  // pictures are decoded side by side
  heif_error error = heif_context_read_from_memory_without_copy(context.get(), file, bytes, nullptr);
  if (error.code != heif_error_Ok) return Failed(error, *host);
  heif_image_handle* primary = nullptr;
  error = heif_context_get_primary_image_handle(context.get(), &primary);
  const Handle handle(primary);
  return error.code == heif_error_Ok ? Decode(handle.get(), *host) : Failed(error, *host);
}

const char* GanDecoderLibrary() {
  static const std::string kVersion = std::string("libheif ") + heif_get_version();
  return kVersion.c_str();
}
