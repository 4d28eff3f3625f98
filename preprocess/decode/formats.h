// The table of picture formats. Recognition by content, names of files, decoders and the list in the documents follow
// from its rows.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "preprocess/decode/decode.h"

namespace gan::preprocess {

using FileBytes = std::span<const std::byte>;

struct Format {
  std::string_view name;
  // The first bytes of a file, where '?' is any byte. Several entries are alternatives; unused ones are empty.
  std::array<std::string_view, 6> magics;
  // A further check for files that begin with these bytes, or for all files if `magics` is empty. Null: the first bytes
  // suffice.
  bool (*confirm)(FileBytes file);
  // ".jpg .jpeg": a file of such a name is an input whatever its content. Empty if only the content counts.
  std::string_view extensions;
  // Null: the format is recognised but cannot be read.
  Rgb8 (*decode)(FileBytes file, const DecodeOptions& options);
  // The EXIF orientation (1-8) of the decoded picture; null: `decode` returns it upright.
  int (*orientation)(FileBytes file);
  std::string (*library)();  // name and version of the decoder; loads it
  // Decoded in a worker process, so that a crash or a hang of the decoder costs one picture and not the run.
  bool apart = false;
};

// `library` of the formats that this folder decodes itself.
std::string OwnDecoder();

// The formats in the order in which they are tried.
std::span<const Format> Formats();

// Recognises a format by content only. The first kRecognisedBytes of a file suffice, except for formats whose mark is
// at the end. Null: not a known picture format.
inline constexpr std::size_t kRecognisedBytes = 512;
const Format* Recognise(FileBytes file);

// Whether a file has an extension of any row.
bool HasPictureExtension(std::string_view name);
// "JPEG, PNG, ...": the formats that can be read.
std::string ReadableFormats();

// Whether `file` begins with `magic`, where '?' is any byte.
bool BeginsWith(FileBytes file, std::string_view magic);

}  // namespace gan::preprocess
