// Projection: finds the latent whose image is nearest to a photograph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "generate/project/class_inputs.h"
#include "generate/project/distance.h"
#include "generate/project/generator_gradient.h"

namespace gan::project {

struct ProjectionOptions {
  std::size_t candidates = 512;  // random latents; the nearest ones are the starts
  std::size_t starts = 16;       // shared among the classes; each has at least one
  std::size_t steps = 240;       // half of them with Adam, the rest with L-BFGS
  std::uint64_t seed = 0;
  double feature_weight = 0.1;              // weight of the distance between D's features
  std::vector<std::uint32_t> classes = {};  // the classes to try; empty for a generator without classes
};

struct Projection {
  std::vector<float> latent;                 // float [noise_dim]
  std::vector<std::uint32_t> of_class = {};  // the class that was found; empty for a generator without classes
  std::vector<float> image;                  // float [3, side, side] in [-1, 1]
  Distances distances;
};

// Called after every step with the number of steps done. Every photograph takes TotalSteps().
using OnStep = std::function<void(std::size_t done)>;
std::size_t TotalSteps(const ProjectionOptions& options);

// One step of Adam (Kingma and Ba, ICLR 2015) on all values; step: 1, 2, ...; the moments begin as zeros.
struct AdamState {
  std::vector<float> values, first_moments, second_moments;
};
void AdamStep(std::span<const float> gradient, double rate, std::size_t step, AdamState& state);

// The first half of the steps uses Adam on the latents of all starts side by side. It is divided into six rounds, each
// of which keeps the nearer half of the starts (successive halving; Jamieson and Talwalkar, AISTATS 2016). The second
// half uses L-BFGS from the nearest latent so far. With classes, each start keeps its class, and at first every class
// has equally many starts. Latents stay within 1.3 times the length of a typical one, for which the generator was
// trained. Keeps its buffers between photographs. Not thread-safe; uses the caller's TBB arena. The same photograph,
// options and kind of processor give the same latent.
class Projector {
 public:
  Projector(const generate::Generator& generator, const std::optional<Discriminator>& discriminator,
            const ProjectionOptions& options);

  std::size_t side() const { return generator_.side(); }
  // photograph: float [3, side, side] in [-1, 1].
  Projection Project(std::span<const float> photograph, const OnStep& on_step);

  // The distances and the gradient with respect to the latents of one step, for tests and benchmarks. classes: one per
  // latent.
  std::span<const float> GradientAt(std::span<const float> latents, std::span<const std::uint32_t> classes,
                                    std::vector<double>& totals);
  void SetPhotograph(std::span<const float> photograph);  // as Project

 private:
  struct Search;
  Search Begin();
  void Measure(Distance::Want want, Search& search);
  static void KeepNearest(std::size_t of_each_class, Search& search);
  static void KeepNearerHalf(Search& search);
  void Step(Search& search);
  double Value(const std::vector<float>& latent, std::span<const std::uint32_t> of_class,
               std::vector<double>& gradient);

  ProjectionOptions options_;
  ClassInputs inputs_;
  GeneratorGradient generator_;
  Distance distance_;
  std::vector<float> candidates_;  // float [candidates, noise_dim]
};

}  // namespace gan::project
