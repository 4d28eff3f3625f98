// The mark in files of the formats that can contain it: PNG, WebP and MP4.
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

inline constexpr const char* kPngXmpKeyword = "XML:com.adobe.xmp";  // keyword of the iTXt chunk with the XMP packet
inline constexpr const char* kWebpXmpChunk = "XMP ";

// The bytes of a WebP file with the XMP packet inserted. Throws std::runtime_error when libwebp fails.
std::string WebpWithXmp(std::string_view webp, const std::string& xmp);

// The bytes that are appended to an MP4 file as its XMP: a uuid box, as in XMP's specification, part 3, and free space,
// which Exiv2 needs behind it.
std::string Mp4XmpBoxes(const std::string& xmp);

enum class FileFormat { kPng, kWebp, kMp4 };
std::string_view NameOf(FileFormat format);

struct MarkedFile {
  FileFormat format = FileFormat::kPng;
  std::optional<Mark> mark;
};

// Recognises the format by the first bytes; empty when it is none of the three.
std::optional<FileFormat> FormatOf(std::span<const std::byte> file);

// Reads the mark in a file. Throws DataError naming the file, and in an MP4 the offset, for another format, a structure
// that is broken or ends early (in a PNG also a wrong checksum), and XMP that is not XML.
MarkedFile ReadMarkedFile(const std::filesystem::path& path);

}  // namespace gan::picture
