// What a file is by its first bytes, whatever it is called.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace gan::preprocess {

// The first kRecognisedBytes of a regular file, fewer when it is shorter. Throws IoError.
std::string HeadOf(const std::filesystem::path& path);

bool IsPictureContent(std::string_view head);
// A .zip, .7z or plain tar.
bool IsArchiveContent(std::string_view head);

// "a Parquet file", "gzip-compressed data", ... of what is certainly no list of paths; empty when nothing is known.
std::string_view NameOfContent(std::string_view head);
// Where a block is no text: the offset of its first control character that no list of paths holds; npos: none.
std::size_t FindControlCharacter(std::string_view block);

}  // namespace gan::preprocess
