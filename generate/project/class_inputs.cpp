#include "generate/project/class_inputs.h"

namespace gan::project {

ClassInputs::ClassInputs(const generate::Generator& generator)
    : noise_dim_(generator.noise_dim()), classes_(generator.classes) {}

std::span<const float> ClassInputs::Join(std::span<const float> latents, std::span<const std::uint32_t> classes) {
  if (!classes_) return latents;
  inputs_.clear();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::span<const float> latent = latents.subspan(i * noise_dim_, noise_dim_), row = classes_->Row(classes[i]);
    inputs_.insert(inputs_.end(), latent.begin(), latent.end());
    inputs_.insert(inputs_.end(), row.begin(), row.end());
  }
  return inputs_;
}

// The class is given and not searched for, so its part of the gradient is dropped.
std::span<const float> ClassInputs::LatentPart(std::span<const float> gradient) {
  if (!classes_) return gradient;
  gradient_.clear();
  for (std::size_t at = 0; at < gradient.size(); at += noise_dim_ + classes_->width) {
    const std::span<const float> part = gradient.subspan(at, noise_dim_);
    gradient_.insert(gradient_.end(), part.begin(), part.end());
  }
  return gradient_;
}

}  // namespace gan::project
