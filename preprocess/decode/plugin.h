// Decoders that live in plugins (decoder_plugin.h).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "preprocess/decode/decode.h"

namespace gan::preprocess {

// When a plugin's orientation is applied: as --exif says, or always, where Pillow does so as it reads.
enum class Turning { kAsAsked, kAlways };

// By the plugin `file_name`, which is loaded at the first call. Throws Rejected; kUnsupported with `advice` when the
// plugin cannot be loaded.
Rgb8 DecodeWithPlugin(const char* file_name, const char* advice, Turning turning, std::span<const std::byte> file,
                      const DecodeOptions& options);
// What it decodes with; loads it. Throws as above.
std::string LibraryOfPlugin(const char* file_name);

}  // namespace gan::preprocess
