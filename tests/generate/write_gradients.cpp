// Writes the numbers that are compared with PyTorch's: the distance of images from a photograph and its gradient with
// respect to the latents.
// write_gradients CHECKPOINT LATENTS.npy PHOTOGRAPH.npy FEATURE_WEIGHT OUT.npy [CLASS]: float [N, noise_dim + 1], the
// distance last. PHOTOGRAPH: float [3, side, side] as one row. CLASS: the number of the class of all latents.
#include <string>
#include <vector>

#include "generate/engine/generate.h"
#include "generate/engine/npy.h"
#include "generate/project/projection.h"

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) return 2;
  const auto trained = gan::generate::LoadReady(argv[1], gan::generate::Weights::kAuto);
  gan::project::ProjectionOptions options;
  options.feature_weight = std::stod(argv[4]);
  gan::project::Projector projector(trained.generator, gan::project::LoadDiscriminator(trained), options);
  projector.SetPhotograph(gan::generate::ReadNpy(argv[3]).values);
  const auto latents = gan::generate::ReadNpy(argv[2]);
  const std::size_t n = trained.generator.noise_dim();
  std::vector<std::uint32_t> classes;
  if (argc == 7) classes.assign(latents.values.size() / n, static_cast<std::uint32_t>(std::stoul(argv[6])));
  std::vector<double> totals;
  const std::span<const float> gradient = projector.GradientAt(latents.values, classes, totals);
  std::vector<float> rows;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    rows.insert(rows.end(), gradient.begin() + static_cast<std::ptrdiff_t>(i * n),
                gradient.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
    rows.push_back(static_cast<float>(totals[i]));
  }
  gan::generate::WriteNpy(argv[5], {totals.size(), n + 1}, rows);
  return 0;
}
