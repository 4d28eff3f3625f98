// Decoders in plugins (decoder_plugin.h).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "preprocess/decode/decode.h"

namespace gan::preprocess {

// When the orientation of a plugin is applied: according to --exif, or always, for formats for which Pillow does so.
enum class Turning { kAsAsked, kAlways };

// Decodes with the plugin `file_name`, which is loaded at the first call. Throws Rejected; kUnsupported with `advice`
// when the plugin cannot be loaded.
Rgb8 DecodeWithPlugin(const char* file_name, const char* advice, Turning turning, std::span<const std::byte> file,
                      const DecodeOptions& options);
// Name and version of the plugin's decoder. Loads the plugin and throws as above.
std::string LibraryOfPlugin(const char* file_name);

}  // namespace gan::preprocess
