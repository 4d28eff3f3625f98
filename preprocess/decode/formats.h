// The one table of picture formats: recognition by content, names of files, decoders and the list in the documents all
// follow from its rows.
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
  // What a file begins with, where '?' is any byte; unused ones are empty. Several are alternatives.
  std::array<std::string_view, 6> magics;
  // Decides where a file begins with one of these, or where there is none; null: the beginning decides alone.
  bool (*confirm)(FileBytes file);
  // ".jpg .jpeg": what is called so is an input whatever it holds. Empty where only the content tells.
  std::string_view extensions;
  // Null: the format is known by name and is not read.
  Rgb8 (*decode)(FileBytes file, const DecodeOptions& options);
  // The EXIF orientation (1-8) of the decoded picture; null: `decode` gives it upright.
  int (*orientation)(FileBytes file);
  std::string (*library)();  // name and version of what decodes; loads it
  // Decoded in a worker process, so that what crashes or hangs the decoder costs that picture and not the run.
  bool apart = false;
};

// `library` of the formats that code of this folder decodes.
std::string OwnDecoder();

// In the order in which they are tried.
std::span<const Format> Formats();

// By content alone. The first kRecognisedBytes of a file suffice, except for formats whose mark is at the end. Null: no
// known picture format.
inline constexpr std::size_t kRecognisedBytes = 512;
const Format* Recognise(FileBytes file);

// Whether a file is called like a picture of any row.
bool HasPictureExtension(std::string_view name);
// "JPEG, PNG, ...": the formats that are read.
std::string ReadableFormats();

// Whether `file` begins with `magic`, where '?' is any byte.
bool BeginsWith(FileBytes file, std::string_view magic);

}  // namespace gan::preprocess
