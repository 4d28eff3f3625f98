// The mark in the files that hold it: PNG, WebP and MP4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "picture/mark.h"

namespace gan::picture {

inline constexpr const char* kPngXmpKeyword = "XML:com.adobe.xmp";  // of the iTXt chunk that holds XMP
inline constexpr const char* kWebpXmpChunk = "XMP ";

// The bytes of a WebP file with the XMP put in. Throws std::runtime_error when libwebp refuses.
std::string WebpWithXmp(std::string_view webp, const std::string& xmp);

// What goes behind an MP4 file to hold XMP: a uuid box, as XMP's specification, part 3, has it, and free space, which
// Exiv2 wants behind it.
std::string Mp4XmpBoxes(const std::string& xmp);

enum class FileFormat { kPng, kWebp, kMp4 };
std::string_view NameOf(FileFormat format);

struct MarkedFile {
  FileFormat format = FileFormat::kPng;
  std::optional<Mark> mark;
};

// Recognises the format by the first bytes; nothing when it is none of the three.
std::optional<FileFormat> FormatOf(std::span<const std::byte> file);

// Reads what the file says of itself. Throws DataError naming the file, and the offset in an MP4: another format, a
// structure that is broken or ends early (in a PNG also a wrong checksum), XMP that is no XML.
MarkedFile ReadMarkedFile(const std::filesystem::path& path);

}  // namespace gan::picture
