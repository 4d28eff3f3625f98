#include "picture/png.h"

#include <png.h>

#include <csetjmp>
#include <cstring>
#include <new>
#include <stdexcept>
#include <vector>

#include "picture/marked_file.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::picture {

namespace {

// libpng reports errors by a jump to the caller, so functions that call setjmp have only trivially destructible locals.
struct Complaint {
  char message[128] = {};
};

void JumpOnError(png_structp png, png_const_charp message) {
  std::strncpy(static_cast<Complaint*>(png_get_error_ptr(png))->message, message, sizeof(Complaint) - 1);
  png_longjmp(png, 1);
}

void IgnoreWarning(png_structp, png_const_charp) {}

void Append(png_structp png, png_bytep bytes, png_size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
}

void IgnoreFlush(png_structp) {}

// If libpng cannot allocate one of its two structures, it returns null for the second one, and the jump needs the
// first.
void RequireMade(png_infop info, const auto& destroy) {
  if (info != nullptr) return;
  destroy();
  throw std::bad_alloc();
}

struct Encoder {
  Complaint complaint;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &complaint, JumpOnError, IgnoreWarning);
  png_infop info = png_create_info_struct(png);

  explicit Encoder(std::string& out) {
    RequireMade(info, [&] { png_destroy_write_struct(&png, nullptr); });
    png_set_write_fn(png, &out, Append, IgnoreFlush);
  }
  ~Encoder() { png_destroy_write_struct(&png, &info); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

// text: null without a text chunk.
bool WriteAll(Encoder& encoder, const std::uint8_t* rgb, std::uint32_t width, std::uint32_t height, png_textp text) {
  // The jump runs no destructors, so the string that Append extends belongs to the caller of this function.
  if (setjmp(png_jmpbuf(encoder.png)) != 0) return false;
  png_set_IHDR(encoder.png, encoder.info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  // Without this chunk every viewer would choose a colour space itself.
  png_set_sRGB(encoder.png, encoder.info, PNG_sRGB_INTENT_PERCEPTUAL);
  if (text != nullptr) png_set_text(encoder.png, encoder.info, text, 1);
  png_write_info(encoder.png, encoder.info);
  for (std::size_t y = 0; y < height; ++y) png_write_row(encoder.png, rgb + y * 3 * width);
  png_write_end(encoder.png, nullptr);
  return true;
}

struct Decoder {
  Complaint complaint;
  std::span<const std::byte> rest;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &complaint, JumpOnError, IgnoreWarning);
  png_infop info = png_create_info_struct(png);

  explicit Decoder(std::span<const std::byte> file) : rest(file) {
    RequireMade(info, [&] { png_destroy_read_struct(&png, nullptr, nullptr); });
    png_set_read_fn(png, &rest, Read);
    // By default libpng drops an ancillary chunk with a wrong checksum and only warns. The mark is in such a chunk.
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  }
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  static void Read(png_structp png, png_bytep out, png_size_t count) {
    auto& rest = *static_cast<std::span<const std::byte>*>(png_get_io_ptr(png));
    if (rest.size() < count) png_error(png, "the data ends early");
    std::memcpy(out, rest.data(), count);
    rest = rest.subspan(count);
  }
};

bool ReadInfo(Decoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_read_info(decoder.png, decoder.info);
  return true;
}

// Reads all other chunks; the pixels are checked and not kept. row: memory for one row.
bool ReadRest(Decoder& decoder, std::uint8_t* row) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  // An interlaced image has up to seven passes over its rows. All of them use one row, whose pixels are not needed.
  const int passes = png_set_interlace_handling(decoder.png);
  png_start_read_image(decoder.png);
  const std::uint32_t height = png_get_image_height(decoder.png, decoder.info);
  for (std::uint64_t i = 0; i < std::uint64_t{height} * static_cast<unsigned>(passes); ++i) {
    png_read_row(decoder.png, row, nullptr);
  }
  png_read_end(decoder.png, decoder.info);
  return true;
}

bool ReadAll(Decoder& decoder) {
  if (!ReadInfo(decoder)) return false;
  std::vector<std::uint8_t> row(png_get_rowbytes(decoder.png, decoder.info));
  return ReadRest(decoder, row.data());
}

}  // namespace

std::string EncodePng(std::span<const std::uint8_t> rgb, std::uint32_t width, std::uint32_t height,
                      const std::optional<Mark>& mark) {
  std::string encoded;
  encoded.reserve(rgb.size() / 2);
  Encoder encoder(encoded);
  std::string keyword = kPngXmpKeyword, xmp = mark ? EncodeMark(*mark) : "", none;
  png_text text = {};
  text.compression = PNG_ITXT_COMPRESSION_NONE;  // as XMP's specification, part 3, requires
  text.key = keyword.data();
  text.text = xmp.data();
  text.itxt_length = xmp.size();
  text.lang = none.data();
  text.lang_key = none.data();
  if (!WriteAll(encoder, rgb.data(), width, height, mark ? &text : nullptr)) {
    throw std::runtime_error(std::string("encode PNG: ") + encoder.complaint.message);
  }
  return encoded;
}

void WritePng(const std::filesystem::path& path, std::span<const std::uint8_t> rgb, std::uint32_t width,
              std::uint32_t height, const std::optional<Mark>& mark) {
  storage::WriteFileAtomically(path, EncodePng(rgb, width, height, mark));
}

std::optional<std::string> XmpOfPng(std::span<const std::byte> file, const std::filesystem::path& path) {
  Decoder decoder(file);
  if (!ReadAll(decoder)) {
    throw DataError(path, file.size() - decoder.rest.size(), std::string("PNG: ") + decoder.complaint.message);
  }
  png_textp texts = nullptr;
  const int count = png_get_text(decoder.png, decoder.info, &texts, nullptr);
  for (int i = 0; i < count; ++i) {
    if (std::string_view(texts[i].key) == kPngXmpKeyword) return std::string(texts[i].text);
  }
  return std::nullopt;
}

}  // namespace gan::picture
