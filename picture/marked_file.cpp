#include "picture/marked_file.h"

#include <array>
#include <cstring>

#include "picture/png.h"
#include "picture/webp_mux.h"
#include "storage/byte_order.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::picture {

namespace {

constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kBoxHeaderBytes = 8;
// Exiv2 0.28 reads this far beyond an XMP box and refuses a film that ends earlier.
constexpr std::size_t kBytesBehindXmp = 20;
constexpr char kXmpUuid[kUuidBytes + 1] = "\xBE\x7A\xCF\xCB\x97\xA9\x42\xE8\x9C\x71\x99\x94\x91\xE3\xAF\xAC";

std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Box {
  std::string_view type, content;
  std::uint64_t bytes = 0;  // size of the whole box
};

// ISO/IEC 14496-12, 4.2: a size of 1 means that 64 bits follow the type, a size of 0 the rest of the file.
Box BoxAt(std::string_view file, std::uint64_t offset, const std::filesystem::path& path) {
  const std::string_view rest = file.substr(offset);
  if (rest.size() < kBoxHeaderBytes) throw DataError(path, offset, "the file ends within a box");
  Box box{.type = rest.substr(4, 4), .content = {}, .bytes = storage::BigEndian(rest.substr(0, 4))};
  std::uint64_t header = kBoxHeaderBytes;
  if (box.bytes == 1) {
    header += 8;
    if (rest.size() < header) throw DataError(path, offset, "the file ends within a box");
    box.bytes = storage::BigEndian(rest.substr(8, 8));
  }
  if (box.bytes == 0) box.bytes = rest.size();
  // The lower bound makes every box advance, so a hostile size cannot make the loop over the boxes endless.
  if (box.bytes < header || box.bytes > rest.size()) throw DataError(path, offset, "a box is longer than the file");
  box.content = rest.substr(header, box.bytes - header);
  return box;
}

std::string BoxOf(const char* type, const std::string& content) {
  const auto bytes = static_cast<std::uint32_t>(kBoxHeaderBytes + content.size());
  std::string box;
  for (int shift = 24; shift >= 0; shift -= 8) box += static_cast<char>(bytes >> shift & 255);
  return box + type + content;
}

std::optional<std::string> XmpOfMp4(std::string_view file, const std::filesystem::path& path) {
  std::optional<std::string> xmp;
  bool has_index = false;
  for (std::uint64_t offset = 0; offset < file.size();) {
    const Box box = BoxAt(file, offset, path);
    has_index = has_index || box.type == "moov";
    if (box.type == "uuid" && box.content.starts_with(std::string_view(kXmpUuid, kUuidBytes))) {
      xmp = std::string(box.content.substr(kUuidBytes));
    }
    offset += box.bytes;
  }
  // A film that was cut off at the end of a box still parses. moov is its index; without it no player can show it.
  if (!has_index) throw DataError(path, file.size(), "the film has no index: it is not whole");
  return xmp;
}

std::optional<std::string> XmpOf(FileFormat format, std::span<const std::byte> bytes,
                                 const std::filesystem::path& path) {
  switch (format) {
    case FileFormat::kPng:
      return XmpOfPng(bytes, path);
    case FileFormat::kWebp:
      return XmpOfWebp(bytes, path);
    case FileFormat::kMp4:
      break;
  }
  return XmpOfMp4(TextOf(bytes), path);
}

}  // namespace

// Appended to the file, because an MP4's index has absolute offsets, which a box before the media would invalidate.
std::string Mp4XmpBoxes(const std::string& xmp) {
  return BoxOf("uuid", std::string(kXmpUuid, kUuidBytes) + xmp) + BoxOf("free", std::string(kBytesBehindXmp, '\0'));
}

std::string_view NameOf(FileFormat format) {
  switch (format) {
    case FileFormat::kPng:
      return "PNG";
    case FileFormat::kWebp:
      return "WebP";
    case FileFormat::kMp4:
      break;
  }
  return "MP4";
}

std::optional<FileFormat> FormatOf(std::span<const std::byte> file) {
  const std::string_view text = TextOf(file);
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return FileFormat::kPng;
  if (text.starts_with("RIFF") && text.substr(4).size() > 8 && text.substr(8, 4) == "WEBP") return FileFormat::kWebp;
  if (text.size() >= kBoxHeaderBytes && text.substr(4, 4) == "ftyp") return FileFormat::kMp4;
  return std::nullopt;
}

MarkedFile ReadMarkedFile(const std::filesystem::path& path) {
  // The mark is searched for in the whole file and not only in Equipoise's place, because other programs move metadata
  // when they save a file.
  const storage::MappedFile mapped(path);
  const std::optional<FileFormat> format = FormatOf(mapped.bytes());
  if (!format) throw DataError(path, "is no PNG, WebP or MP4 file");
  MarkedFile file{.format = *format, .mark = {}};
  const std::optional<std::string> xmp = XmpOf(*format, mapped.bytes(), path);
  mapped.RequireRead();
  if (xmp) file.mark = DecodeMark(*xmp, path);
  return file;
}

}  // namespace gan::picture
