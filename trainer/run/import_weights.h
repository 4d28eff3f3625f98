#pragma once

#include <filesystem>
#include <string>

#include "trainer/step/train_step.h"

namespace gan::run {

// Replaces weights and running statistics of G, of D, or of both by those of a safetensors file with PyTorch's
// parameter names. The file holds both networks with the prefixes "generator." and "discriminator.", or one network
// with any other prefix ("main." in the widely used DCGAN example scripts); the shape of its first layer then shows
// which network it is. The average of G's weights is restarted from the imported weights. Every floating-point type is
// accepted. Returns a line for the log. Throws DataError naming the tensor when one is missing, does not belong to the
// network, has another shape, or contains a value that is not finite.
std::string ImportWeights(const std::filesystem::path& file, step::Gan& gan);

}  // namespace gan::run
