#include "preprocess/decode/formats.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include <gif_lib.h>
#include <jpeglib.h>  // needs stdio before it
#include <png.h>
#include <webp/decode.h>

#include "preprocess/decode/orientation.h"
#include "storage/byte_order.h"
#include "storage/lower.h"

namespace gan::preprocess {

namespace {

using namespace std::string_view_literals;

// Two macros, because # does not expand a macro argument.
#define GAN_TEXT_(x) #x
#define GAN_TEXT(x) GAN_TEXT_(x)

std::string JpegLibrary() { return "libjpeg-turbo " GAN_TEXT(LIBJPEG_TURBO_VERSION); }
std::string PngLibrary() { return "libpng " PNG_LIBPNG_VER_STRING; }
std::string GifLibrary() {
  return "giflib " GAN_TEXT(GIFLIB_MAJOR) "." GAN_TEXT(GIFLIB_MINOR) "." GAN_TEXT(GIFLIB_RELEASE);
}
std::string WebpLibrary() {
  const int version = WebPGetDecoderVersion();
  return "libwebp " + std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 255) + "." +
         std::to_string(version & 255);
}

// Reads as many of the `count` bytes as the file has.
std::uint64_t LittleEndian(FileBytes file, std::size_t at, std::size_t count) {
  const FileBytes rest = file.subspan(std::min(at, file.size()));
  return storage::LittleEndian(rest.first(std::min(count, rest.size())));
}

// "BM" begins many texts, but in a BMP one of a few header sizes follows.
bool IsBmp(FileBytes file) {
  constexpr std::array kHeaders = {12U, 16U, 40U, 52U, 56U, 64U, 108U, 124U};
  return std::find(kHeaders.begin(), kHeaders.end(), LittleEndian(file, 14, 4)) != kHeaders.end();
}

// "P6" begins other files as well, but here white space follows.
bool IsPnm(FileBytes file) { return file.size() > 2 && std::isspace(static_cast<unsigned char>(file[2])) != 0; }

// ISO media files have brands: the major one, or if that is a general one (mif1, msf1), the other ones.
bool HasBrand(FileBytes file, std::initializer_list<std::string_view> wanted) {
  const auto is_wanted = [&](std::size_t at) {
    return std::any_of(wanted.begin(), wanted.end(), [&](auto brand) { return BeginsWith(file.subspan(at), brand); });
  };
  if (file.size() < 16 || is_wanted(8)) return file.size() >= 16;
  if (!BeginsWith(file.subspan(8), "mif1") && !BeginsWith(file.subspan(8), "msf1")) return false;
  // The major brand is followed by four bytes of version, then by the other brands to the end of the box.
  const std::uint64_t box = storage::BigEndian(file.first(4));
  for (std::size_t at = 16; at + 4 <= std::min<std::uint64_t>(box, file.size()); at += 4) {
    if (is_wanted(at)) return true;
  }
  return false;
}

bool IsAvif(FileBytes file) { return HasBrand(file, {"avif", "avis"}); }
bool IsHeic(FileBytes file) {
  return HasBrand(file, {"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"});
}
bool IsCanonRaw(FileBytes file) { return HasBrand(file, {"crx "}); }

// Much binary data begins with these four bytes. In an icon the number of its pictures follows.
bool IsIcon(FileBytes file) { return LittleEndian(file, 4, 2) != 0; }

// A TGA has no mark, or one at its end, so the plausible values of its header must suffice.
bool IsTga(FileBytes file) {
  if (file.size() < 18) return false;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned>(file[at]); };
  const bool has_map = byte(1) == 1;
  const unsigned kind = byte(2) & ~8U;  // 8: the flag for run lengths
  const bool plain_map = has_map || (LittleEndian(file, 3, 4) == 0 && byte(7) == 0);
  const bool depth = byte(16) == 8 || byte(16) == 15 || byte(16) == 16 || byte(16) == 24 || byte(16) == 32;
  return byte(1) <= 1 && has_map == (kind == 1) && kind >= 1 && kind <= 3 && plain_map && depth &&
         LittleEndian(file, 12, 2) != 0 && LittleEndian(file, 14, 2) != 0 && (byte(17) & 0xC0U) == 0;
}

// The mark follows 128 arbitrary bytes.
bool IsDicom(FileBytes file) { return file.size() > 132 && BeginsWith(file.subspan(128), "DICM"); }

// Formats with a decoder come first. Rows without one exist so that messages can name the format.
constexpr bool kApart = true;
// clang-format off
constexpr std::array kFormats = {
    Format{"JPEG", {"\xFF\xD8\xFF"}, nullptr, ".jpg .jpeg .jpe .jfif .mpo", DecodeJpeg, OrientationOfJpeg, JpegLibrary},
    Format{"PNG", {"\x89PNG\r\n\x1A\n"}, nullptr, ".png .apng", DecodePng, OrientationOfPng, PngLibrary},
    Format{"WebP", {"RIFF????WEBP"}, nullptr, ".webp", DecodeWebp, OrientationOfWebp, WebpLibrary},
    Format{"GIF", {"GIF8"}, nullptr, ".gif", DecodeGif, nullptr, GifLibrary},
    Format{"BMP", {"BM"}, IsBmp, ".bmp .dib", DecodeBmp, nullptr, OwnDecoder, kApart},
    Format{"PNM", {"P1", "P2", "P3", "P4", "P5", "P6"}, IsPnm, ".pbm .pgm .ppm .pnm", DecodePnm, nullptr, OwnDecoder, kApart},
    // A CR2 begins like a TIFF, so its row must precede that of TIFF.
    Format{"Canon raw", {"II*\0????CR"sv}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"TIFF", {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}, nullptr, ".tif .tiff", DecodeTiff, nullptr, TiffLibrary, kApart},
    Format{"AVIF", {"????ftyp"}, IsAvif, ".avif .avifs", DecodeAvif, nullptr, AvifLibrary, kApart},
    Format{"Canon raw", {"????ftyp"}, IsCanonRaw, "", nullptr, nullptr, nullptr},
    Format{"HEIC", {"????ftyp"}, IsHeic, ".heic .heif .hif", DecodeHeic, nullptr, HeifLibrary, kApart},
    Format{"JPEG XL", {"\xFF\x0A", "\0\0\0\x0CJXL \r\n\x87\n"sv}, nullptr, ".jxl", DecodeJxl, nullptr, JxlLibrary, kApart},
    Format{"JPEG 2000", {"\xFF\x4F\xFF\x51", "\0\0\0\x0CjP  \r\n\x87\n"sv}, nullptr, ".jp2 .j2k .j2c .jpc .jpf .jpx", DecodeJpeg2000, nullptr, OpenCvLibrary, kApart},
    Format{"Sun raster", {"\x59\xA6\x6A\x95"}, nullptr, ".ras", DecodeSunRaster, nullptr, OwnDecoder, kApart},
    Format{"Radiance HDR", {"#?RADIANCE", "#?RGBE"}, nullptr, ".hdr", DecodeHdr, nullptr, OpenCvLibrary, kApart},
    Format{"PAM", {"P7\n"}, nullptr, ".pam", nullptr, nullptr, nullptr},
    Format{"PFM", {"PF\n", "Pf\n", "PF\r", "Pf\r"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"QOI", {"qoif"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"Photoshop", {"8BPS"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"GIMP", {"gimp xcf"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"OpenEXR", {"\x76\x2F\x31\x01"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"ICO", {"\0\0\1\0"sv, "\0\0\2\0"sv}, IsIcon, ".ico", nullptr, nullptr, nullptr},
    Format{"ICNS", {"icns"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"DDS", {"DDS "}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"JPEG XR", {"II\xBC\x01"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"Fujifilm raw", {"FUJIFILMCCD-RAW"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"Olympus raw", {"IIRO", "IIRS", "MMOR"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"Panasonic raw", {"IIU\0"sv}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"MNG", {"\x8AMNG\r\n\x1A\n"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"FITS", {"SIMPLE  ="}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"FLIF", {"FLIF"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"BPG", {"BPG\xFB"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"farbfeld", {"farbfeld"}, nullptr, "", nullptr, nullptr, nullptr},
    Format{"DICOM", {}, IsDicom, "", nullptr, nullptr, nullptr},
    // Last, because without a mark it may only match files that nothing else has recognised.
    Format{"TGA", {}, IsTga, ".tga", nullptr, nullptr, nullptr},
};
// clang-format on

bool Matches(const Format& format, FileBytes file) {
  const auto begins = [&](std::string_view magic) { return !magic.empty() && BeginsWith(file, magic); };
  const bool has_magic = !format.magics[0].empty();
  if (has_magic && std::none_of(format.magics.begin(), format.magics.end(), begins)) return false;
  return format.confirm == nullptr || format.confirm(file);
}

bool HasWord(std::string_view words, std::string_view word) {
  for (std::size_t at = words.find(word); at != words.npos; at = words.find(word, at + 1)) {
    // The extensions begin with dots, so only the end of the match has to be checked.
    if (at + word.size() == words.size() || words[at + word.size()] == ' ') return true;
  }
  return false;
}

}  // namespace

std::string OwnDecoder() { return "gan-preprocess"; }

std::span<const Format> Formats() { return kFormats; }

const Format* Recognise(FileBytes file) {
  const auto found =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& format) { return Matches(format, file); });
  return found == kFormats.end() ? nullptr : &*found;
}

bool HasPictureExtension(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == name.size()) return false;
  const std::string extension = storage::Lower(name.substr(dot));
  const std::size_t slash = name.rfind('/');
  const bool hidden = dot == (slash == std::string_view::npos ? 0 : slash + 1);  // ".png" has no extension
  return !hidden && std::any_of(kFormats.begin(), kFormats.end(),
                                [&](const Format& format) { return HasWord(format.extensions, extension); });
}

std::string ReadableFormats() {
  std::string names;
  for (const Format& format : kFormats) {
    if (format.decode != nullptr) names += (names.empty() ? "" : ", ") + std::string(format.name);
  }
  return names;
}

bool BeginsWith(FileBytes file, std::string_view magic) {
  return file.size() >= magic.size() && std::equal(magic.begin(), magic.end(), file.begin(), [](char m, std::byte b) {
           return m == '?' || static_cast<std::byte>(m) == b;
         });
}

}  // namespace gan::preprocess
