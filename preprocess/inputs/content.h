// Recognises a file by its first bytes, whatever its name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace gan::preprocess {

// The first kRecognisedBytes of a regular file, fewer when it is shorter. Throws IoError.
std::string HeadOf(const std::filesystem::path& path);

// Whether HeadOf() would throw nothing.
bool CanBeOpened(const std::filesystem::path& path);

bool IsPictureContent(std::string_view head);
// A .zip, .7z or plain tar.
bool IsArchiveContent(std::string_view head);

// "a Parquet file", "gzip-compressed data" and so on for content that is certainly not a list of paths; empty when
// unknown.
std::string_view NameOfContent(std::string_view head);
// The offset of the first control character that no list of paths contains; npos: the block may be text.
std::size_t FindControlCharacter(std::string_view block);

}  // namespace gan::preprocess
