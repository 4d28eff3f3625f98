// HEIC by libheif, which turns pictures and assembles grids itself.
#include <algorithm>
#include <memory>
#include <string>

#include "preprocess/decode/decoder_plugin.h"
#include "preprocess/decode/heif_library.h"

namespace {

constexpr const char* kAdvice =
    "HEIC needs libheif: pip install \"equipoise[heic]\" where Equipoise is a wheel, else run setup/libheif.sh and "
    "build again, or name a libheif.so.1 in GAN_LIBHEIF; it cannot be loaded: ";

const gan::preprocess::HeifLibrary& Heif() { return gan::preprocess::HeifLibrary::Get(); }

template <auto Function>
struct Release {
  void operator()(auto* object) const { (Heif().*Function)(object); }
};
using Library = gan::preprocess::HeifLibrary;
using Context = std::unique_ptr<heif_context, Release<&Library::context_free>>;
using Handle = std::unique_ptr<heif_image_handle, Release<&Library::image_handle_release>>;
using Image = std::unique_ptr<heif_image, Release<&Library::image_release>>;

int Failed(const heif_error& error, const GanDecodeHost& host) {
  const std::string why = std::string("HEIC: ") + (error.message == nullptr ? "damaged" : error.message);
  host.explain(host.context, why.c_str());
  if (error.subcode == heif_suberror_End_of_data) return kGanTruncated;
  const bool unsupported =
      error.code == heif_error_Unsupported_feature || error.code == heif_error_Unsupported_filetype;
  return unsupported ? kGanUnsupported : kGanCorrupt;
}

void CopyRows(const heif_image* image, std::uint8_t* out, std::size_t row_bytes, int height) {
  int stride = 0;
  const std::uint8_t* in = Heif().image_get_plane_readonly(image, heif_channel_interleaved, &stride);
  for (int y = 0; y < height; ++y) out = std::copy_n(in + std::ptrdiff_t{y} * stride, row_bytes, out);
}

// Like Pillow's plugin, this does not undo the multiplication of colours by alpha.
int Decode(const heif_image_handle* handle, const GanDecodeHost& host) {
  const int channels = Heif().image_handle_has_alpha_channel(handle) != 0 ? 4 : 3;
  const int width = Heif().image_handle_get_width(handle), height = Heif().image_handle_get_height(handle);
  if (width <= 0 || height <= 0) return kGanCorrupt;
  constexpr int kOwnBytes = 4 + 4;  // for YUV and RGB
  std::uint8_t* out = host.allocate(host.context, static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height),
                                    channels, kOwnBytes);
  if (out == nullptr) return kGanRefused;
  heif_image* decoded = nullptr;
  const heif_error error =
      Heif().decode_image(handle, &decoded, heif_colorspace_RGB,
                          channels == 4 ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, nullptr);
  // Owned before the error is checked, so that every return releases it.
  const Image image(decoded);
  if (error.code != heif_error_Ok) return Failed(error, host);
  // The allocated memory has the size that the header gives.
  if (Heif().image_get_width(decoded, heif_channel_interleaved) != width ||
      Heif().image_get_height(decoded, heif_channel_interleaved) != height) {
    host.explain(host.context, "HEIC: its size is not what its header says");
    return kGanCorrupt;
  }
  CopyRows(decoded, out, static_cast<std::size_t>(width) * static_cast<std::size_t>(channels), height);
  return kGanDecoded;
}

}  // namespace

int GanDecode(const std::uint8_t* file, std::size_t bytes, const GanDecodeHost* host) {
  if (Heif().why() != nullptr) {
    host->explain(host->context, (std::string(kAdvice) + Heif().why()).c_str());
    return kGanUnsupported;
  }
  const Context context(Heif().context_alloc());
  Heif().context_set_max_decoding_threads(context.get(), 0);  // several pictures are decoded at the same time instead
  heif_error error = Heif().context_read_from_memory_without_copy(context.get(), file, bytes, nullptr);
  if (error.code != heif_error_Ok) return Failed(error, *host);
  heif_image_handle* primary = nullptr;
  error = Heif().context_get_primary_image_handle(context.get(), &primary);
  const Handle handle(primary);
  return error.code == heif_error_Ok ? Decode(handle.get(), *host) : Failed(error, *host);
}

const char* GanDecoderLibrary() {
  static const std::string kVersion = std::string("libheif ") + Heif().get_version();
  return kVersion.c_str();
}
