#pragma once

#include <filesystem>
#include <string>

#include "trainer/step/train_step.h"

namespace gan::run {

// Overwrites weights and running statistics of G, of D, or of both with those of a safetensors file that has PyTorch's
// parameter names: behind "generator." and "discriminator.", or of one network alone, whose names may stand behind any
// other prefix ("main." in the DCGAN scripts that many people start from) and whose first layer says which it is. An
// average of G starts anew from them. Any floating-point type is read. Gives a line for the log. Throws DataError
// naming the tensor when one is missing, is not of the network, has another shape, or holds a value that is not finite.
std::string ImportWeights(const std::filesystem::path& file, step::Gan& gan);

}  // namespace gan::run
