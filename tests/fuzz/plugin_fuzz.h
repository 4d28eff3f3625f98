// Any bytes to one decoder plugin, whose source is linked in: it fills the room that it asked for, at most, or says why
// not. The libraries behind the plugins are the system's, built without coverage; what they do out of bounds of heap
// blocks AddressSanitizer still sees.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "preprocess/decode/decoder_plugin.h"

namespace gan::fuzz {

struct PluginCall {
  std::vector<std::uint8_t> pixels;
  bool refused = false;
};

inline std::uint8_t* Allocate(void* context, std::uint32_t width, std::uint32_t height, int channels, int own_bytes) {
  constexpr std::uint64_t kMostPixels = 1 << 20;  // keeps one input under a second
  if ((channels != 3 && channels != 4) || own_bytes < 0) std::abort();
  auto& call = *static_cast<PluginCall*>(context);
  call.refused = width == 0 || height == 0 || width > kMostPixels / height;
  if (call.refused) return nullptr;
  call.pixels.resize(std::size_t{width} * height * static_cast<std::size_t>(channels));
  return call.pixels.data();
}

inline int DecodeAny(const std::uint8_t* data, std::size_t size) {
  PluginCall call;
  const GanDecodeHost host = {&call, Allocate, [](void*, int) {},
                              [](void*, const char* why) {
                                if (why == nullptr) std::abort();
                              }};
  const int result = GanDecode(data, size, &host);
  if (result == kGanDecoded && call.pixels.empty()) std::abort();
  if (call.refused && result == kGanDecoded) std::abort();
  return 0;
}

}  // namespace gan::fuzz
