#include "trainer/data/pixels.h"

namespace gan::data {

void Normalise(const std::uint8_t* from, float* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = (static_cast<float>(from[i]) / 255.0F - 0.5F) / 0.5F;
}

}  // namespace gan::data
