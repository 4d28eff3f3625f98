// Destinations of generated pictures, which arrive one after another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "generate/engine/latents.h"
#include "generate/engine/marker.h"
#include "generate/engine/options.h"

namespace gan::generate {

class Sink {
 public:
  virtual ~Sink() = default;
  // pictures: float [N, 3, side, side] in [-1, 1], the ones after those of the last call.
  virtual void Add(std::span<const float> pictures) = 0;
  // Publishes the output. Without this call no unfinished file is left.
  virtual void Finish() = 0;
};

// Opens the destination that --out names; `latents` and `marker` must outlive it. class_names: of the generator's
// classes. Throws UsageError, IoError; so do the members.
std::unique_ptr<Sink> OpenSink(const GenerateOptions& options, const Latents& latents,
                               const std::vector<std::string>& class_names, const Marker& marker, std::size_t side);

}  // namespace gan::generate
