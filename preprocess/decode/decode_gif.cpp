#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "preprocess/decode/decode.h"

namespace gan::preprocess {

namespace {

struct Input {
  std::span<const std::byte> rest;
  bool ended_early = false;
};

int ReadGifBytes(GifFileType* gif, GifByteType* out, int count) {
  auto& input = *static_cast<Input*>(gif->UserData);
  const std::size_t got = std::min(static_cast<std::size_t>(count), input.rest.size());
  // giflib reports a failed read and the end of the file with the same error, so the end is noted here.
  if (got < static_cast<std::size_t>(count)) input.ended_early = true;
  std::memcpy(out, input.rest.data(), got);
  input.rest = input.rest.subspan(got);
  return static_cast<int>(got);
}

[[noreturn]] void Reject(const Input& input, int error) {
  const char* text = GifErrorString(error);
  if (input.ended_early) throw Rejected(Reason::kTruncated, "GIF: the data ends early");
  throw Rejected(Reason::kCorrupt, std::string("GIF: ") + (text == nullptr ? "damaged" : text));
}

// Owns the decoder.
struct GifDecoder {
  Input input;
  GifFileType* gif = nullptr;
  explicit GifDecoder(std::span<const std::byte> file) : input{file} {
    int error = 0;
    gif = DGifOpen(&input, ReadGifBytes, &error);
    if (gif == nullptr) Reject(input, error);
  }
  ~GifDecoder() { DGifCloseFile(gif, nullptr); }
  GifDecoder(const GifDecoder&) = delete;
  GifDecoder& operator=(const GifDecoder&) = delete;
  void Require(int result) const {
    if (result == GIF_ERROR) Reject(input, gif->Error);
  }
};

// Reads extensions up to the first frame's descriptor. Returns its transparent index, or -1.
int ReadToFirstFrame(const GifDecoder& d) {
  int transparent = -1;
  for (;;) {
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    d.Require(DGifGetRecordType(d.gif, &type));
    if (type == IMAGE_DESC_RECORD_TYPE) return transparent;
    if (type == TERMINATE_RECORD_TYPE) throw Rejected(Reason::kCorrupt, "GIF: holds no picture");
    int code = 0;
    GifByteType* block = nullptr;
    d.Require(DGifGetExtension(d.gif, &code, &block));
    // The first byte of a block is its length.
    if (code == GRAPHICS_EXT_FUNC_CODE && block != nullptr && block[0] >= 4 && (block[1] & 1) != 0) {
      transparent = block[4];
    }
    while (block != nullptr) d.Require(DGifGetExtensionNext(d.gif, &block));
  }
}

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;

// Colours that the frame does not define are grey, as in a new palette of Pillow.
Palette PaletteOf(const GifFileType& gif) {
  Palette palette;
  for (std::size_t i = 0; i < palette.size(); ++i) palette[i].fill(static_cast<std::uint8_t>(i));
  const ColorMapObject* map = gif.Image.ColorMap != nullptr ? gif.Image.ColorMap : gif.SColorMap;
  if (map == nullptr) return palette;
  for (std::size_t i = 0; i < std::min<std::size_t>(palette.size(), static_cast<std::size_t>(map->ColorCount)); ++i) {
    palette[i] = {map->Colors[i].Red, map->Colors[i].Green, map->Colors[i].Blue};
  }
  return palette;
}

void ReadRows(const GifDecoder& d, std::uint8_t* canvas, std::size_t stride) {
  struct Pass {
    int first, step;
  };
  // GIF89a, appendix E.
  static constexpr std::array<Pass, 4> kInterlaced = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  static constexpr std::array<Pass, 1> kPlain = {{{0, 1}}};
  const GifImageDesc& frame = d.gif->Image;
  const std::span<const Pass> passes = frame.Interlace ? std::span<const Pass>(kInterlaced) : kPlain;
  for (const Pass& pass : passes) {
    for (int y = pass.first; y < frame.Height; y += pass.step) {
      std::uint8_t* row = canvas + static_cast<std::size_t>(frame.Top + y) * stride + frame.Left;
      d.Require(DGifGetLine(d.gif, row, frame.Width));
    }
  }
}

}  // namespace

// The first frame on a canvas that is large enough for it (Pillow 12.0.0, GifImagePlugin.py).
Rgb8 DecodeGif(std::span<const std::byte> file, const DecodeOptions& options) {
  const GifDecoder decoder(file);
  const int transparent = ReadToFirstFrame(decoder);
  decoder.Require(DGifGetImageDesc(decoder.gif));
  const GifImageDesc& frame = decoder.gif->Image;
  if (frame.Width == 0 || frame.Height == 0) throw Rejected(Reason::kCorrupt, "GIF: a frame without pixels");
  const auto width = static_cast<std::uint32_t>(std::max(decoder.gif->SWidth, frame.Left + frame.Width));
  const auto height = static_cast<std::uint32_t>(std::max(decoder.gif->SHeight, frame.Top + frame.Height));
  // The canvas contains the whole frame, so ReadRows() does not check its columns.
  RequireRoom(width, height, 1 + 3, options);
  // Around a frame that is smaller than the canvas, Pillow shows the transparent index, or index 0.
  std::vector<std::uint8_t> canvas(std::size_t{width} * height, static_cast<std::uint8_t>(std::max(transparent, 0)));
  // Data behind the first frame is not read, so damage there has no effect.
  ReadRows(decoder, canvas.data(), width);
  Palette palette = PaletteOf(*decoder.gif);
  if (transparent >= 0) palette[static_cast<std::size_t>(transparent)] = options.background;
  Rgb8 out(width, height);
  for (std::size_t i = 0; i < canvas.size(); ++i) std::memcpy(&out.pixels[3 * i], palette[canvas[i]].data(), 3);
  return out;
}

}  // namespace gan::preprocess
