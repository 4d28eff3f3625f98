#include "picture/webp_mux.h"

#include <webp/mux.h>

#include <memory>
#include <stdexcept>

#include "picture/marked_file.h"
#include "storage/errors.h"

namespace gan::picture {

namespace {

struct DeleteMux {
  void operator()(WebPMux* mux) const { WebPMuxDelete(mux); }
};
using Mux = std::unique_ptr<WebPMux, DeleteMux>;

WebPData DataOf(const void* bytes, std::size_t size) { return {static_cast<const std::uint8_t*>(bytes), size}; }

}  // namespace

std::string WebpWithXmp(std::string_view webp, const std::string& xmp) {
  const WebPData whole = DataOf(webp.data(), webp.size()), chunk = DataOf(xmp.data(), xmp.size());
  // No copies: the mux refers to `webp` and `xmp`, which outlive it.
  const Mux mux(WebPMuxCreate(&whole, /*copy_data=*/0));
  WebPData assembled;
  WebPDataInit(&assembled);
  if (!mux || WebPMuxSetChunk(mux.get(), kWebpXmpChunk, &chunk, /*copy_data=*/0) != WEBP_MUX_OK ||
      WebPMuxAssemble(mux.get(), &assembled) != WEBP_MUX_OK) {
    throw std::runtime_error("WebP: the mark cannot be put in");
  }
  std::string bytes(reinterpret_cast<const char*>(assembled.bytes), assembled.size);
  WebPDataClear(&assembled);
  return bytes;
}

std::optional<std::string> XmpOfWebp(std::span<const std::byte> file, const std::filesystem::path& path) {
  const WebPData whole = DataOf(file.data(), file.size());
  const Mux mux(WebPMuxCreate(&whole, /*copy_data=*/0));
  // libwebpmux also refuses a file that is shorter than its RIFF header states.
  if (!mux) throw DataError(path, "is no whole WebP file");
  WebPData chunk;
  if (WebPMuxGetChunk(mux.get(), kWebpXmpChunk, &chunk) != WEBP_MUX_OK) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(chunk.bytes), chunk.size);
}

}  // namespace gan::picture
