// Loads libheif by path, with its symbols hidden from other libraries. Its wheel contains its own libaom, libjpeg and
// others. In the global scope these would replace the ones that libavif, libtiff and OpenCV of the same process were
// linked to.
#pragma once

#include <libheif/heif.h>

#include <cstdlib>

#include "plugin/plugin.h"

namespace gan::preprocess {

// Exists as long as the process.
class HeifLibrary {
 public:
  static const HeifLibrary& Get() {
    static const HeifLibrary kLibrary;
    return kLibrary;
  }

  // The reason why it cannot be used, or nullptr. If there is a reason, no function may be called.
  const char* why() const { return library_.why().empty() ? nullptr : library_.why().c_str(); }

 private:
  static const char* Path() {
    const char* const named = std::getenv("GAN_LIBHEIF");
    return named == nullptr ? GAN_LIBHEIF_PATH : named;
  }

  Plugin library_{Path()};

// A member of the same type and name as libheif's function.
#define GAN_HEIF(name) decltype(::heif_##name)* const name = library_.Find<decltype(::heif_##name)>("heif_" #name)

 public:
  GAN_HEIF(context_alloc);
  GAN_HEIF(context_free);
  GAN_HEIF(context_get_primary_image_handle);
  GAN_HEIF(context_read_from_memory_without_copy);
  GAN_HEIF(context_set_max_decoding_threads);
  GAN_HEIF(decode_image);
  GAN_HEIF(get_version);
  GAN_HEIF(image_get_height);
  GAN_HEIF(image_get_plane_readonly);
  GAN_HEIF(image_get_width);
  GAN_HEIF(image_handle_get_height);
  GAN_HEIF(image_handle_get_width);
  GAN_HEIF(image_handle_has_alpha_channel);
  GAN_HEIF(image_handle_release);
  GAN_HEIF(image_release);
#undef GAN_HEIF
};

}  // namespace gan::preprocess
