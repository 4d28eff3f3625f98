#include "picture/png.h"

#include <png.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "storage/files.h"

namespace gan::picture {

std::string EncodePng(std::span<const std::uint8_t> rgb, std::uint32_t width, std::uint32_t height) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string encoded(size, '\0');
  const auto row_bytes = static_cast<png_int_32>(3 * width);
  if (png_image_write_to_memory(&image, encoded.data(), &size, /*convert_to_8bit=*/0, rgb.data(), row_bytes,
                                /*colormap=*/nullptr) == 0) {
    throw std::runtime_error(std::string("encode PNG: ") + image.message);
  }
  encoded.resize(size);
  return encoded;
}

void WritePng(const std::filesystem::path& path, std::span<const std::uint8_t> rgb, std::uint32_t width,
              std::uint32_t height) {
  storage::WriteFileAtomically(path, EncodePng(rgb, width, height));
}

}  // namespace gan::picture
