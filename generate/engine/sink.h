// Where generated pictures go, one after another.
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
  // pictures: float [N, 3, side, side] in [-1, 1], those that follow the ones of the last call.
  virtual void Add(std::span<const float> pictures) = 0;
  // Publishes what is not yet written; without it nothing half-made is left.
  virtual void Finish() = 0;
};

// For what --out names; `latents` and `marker` must outlive it. class_names: of the generator's classes. Throws
// UsageError, IoError; so do the members.
std::unique_ptr<Sink> OpenSink(const GenerateOptions& options, const Latents& latents,
                               const std::vector<std::string>& class_names, const Marker& marker, std::size_t side);

}  // namespace gan::generate
