#include "generate/project/projection.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "generate/project/lbfgs.h"
#include "trainer/data/sampler.h"

namespace gan::project {

namespace {

constexpr std::size_t kBatch = 32;  // of candidates
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
constexpr double kRate = 0.1;          // the first; it falls to 0 along half a cosine
constexpr double kMostLength = 1.3;    // in times of the length of a typical latent, sqrt(noise_dim)
constexpr std::size_t kLook = 15;      // the search ends when so many evaluations have not made
constexpr double kStalled = 0.995;     // the distance less than so many times what it was
constexpr std::size_t kShortlist = 4;  // candidates per start whose features are compared, not their pixels alone
constexpr std::size_t kRounds = 6;     // of Adam; after each the nearer half of the starts goes on

double Length(std::span<const float> latent) {
  double sum = 0;
  for (const float x : latent) sum += double{x} * double{x};
  return std::sqrt(sum);
}

double MostLength(std::size_t noise_dim) { return kMostLength * std::sqrt(static_cast<double>(noise_dim)); }

void Shorten(std::span<float> latent) {
  const double most = MostLength(latent.size()), length = Length(latent);
  if (length <= most) return;
  for (float& x : latent) x = static_cast<float>(double{x} * most / length);
}

}  // namespace

// The starts that are still followed, [count, noise_dim] each.
struct Projector::Search {
  AdamState adam;
  std::vector<double> totals;  // of the latents, before their last step
  std::vector<float> best;     // the latent of the least total so far
  double best_total = INFINITY;
  std::size_t step = 0;

  void RememberNearest(std::size_t noise_dim) {
    const auto nearest = std::min_element(totals.begin(), totals.end());
    if (*nearest >= best_total) return;
    best_total = *nearest;
    const auto at = static_cast<std::size_t>(nearest - totals.begin()) * noise_dim;
    const std::span<const float> latent = std::span(adam.values).subspan(at, noise_dim);
    best.assign(latent.begin(), latent.end());
  }
};

void AdamStep(std::span<const float> gradient, double rate, std::size_t step, AdamState& state) {
  const double unbias1 = 1 - std::pow(kBeta1, step), unbias2 = 1 - std::pow(kBeta2, step);
  for (std::size_t i = 0; i < state.values.size(); ++i) {
    const double g = double{gradient[i]};
    const double m = kBeta1 * double{state.first_moments[i]} + (1 - kBeta1) * g;
    const double v = kBeta2 * double{state.second_moments[i]} + (1 - kBeta2) * g * g;
    state.first_moments[i] = static_cast<float>(m);
    state.second_moments[i] = static_cast<float>(v);
    state.values[i] -= static_cast<float>(rate * (m / unbias1) / (std::sqrt(v / unbias2) + kEpsilon));
  }
}

std::size_t TotalSteps(const ProjectionOptions& options) { return options.steps; }

Projector::Projector(const generate::Generator& generator, const std::optional<Discriminator>& discriminator,
                     const ProjectionOptions& options)
    : options_(options),
      generator_(generator),
      distance_(discriminator, generator.side(), options.feature_weight),
      candidates_(std::max(options.candidates, options.starts) * generator.noise_dim()) {
  const std::size_t n = generator.noise_dim();
  for (std::size_t i = 0; i < candidates_.size() / n; ++i) {
    data::FillNormal(candidates_.data() + i * n, n, options.seed, data::Stream::kProjection, 0, i);
  }
}

void Projector::SetPhotograph(std::span<const float> photograph) {
  distance_.SetPhotograph(ToBlocks(photograph, side()));
}

std::span<const float> Projector::GradientAt(std::span<const float> latents, std::vector<double>& totals) {
  const std::span<const float> images = generator_.Forward(latents);
  Distance::Result result = distance_.Measure(images, Distance::Want::kGradient);
  totals = std::move(result.totals);
  return generator_.Backward(result.gradient);
}

Projector::Search Projector::Begin() {
  const std::size_t n = generator_.noise_dim();
  Search search;
  search.adam.values = candidates_;
  search.adam.first_moments.resize(candidates_.size());
  search.adam.second_moments.resize(candidates_.size());
  search.totals = TotalsOf(candidates_, Distance::Want::kPixels);
  KeepNearest(search, kShortlist * options_.starts);
  search.totals = TotalsOf(search.adam.values, Distance::Want::kValues);
  KeepNearest(search, options_.starts);
  search.RememberNearest(n);
  return search;
}

std::vector<double> Projector::TotalsOf(std::span<const float> latents, Distance::Want want) {
  const std::size_t n = generator_.noise_dim();
  std::vector<double> all;
  for (std::size_t done = 0; done < latents.size(); done += kBatch * n) {
    const auto images = generator_.Forward(latents.subspan(done, std::min(kBatch * n, latents.size() - done)));
    const auto totals = distance_.Measure(images, want).totals;
    all.insert(all.end(), totals.begin(), totals.end());
  }
  return all;
}

void Projector::KeepNearest(Search& search, std::size_t count) {
  const std::size_t n = generator_.noise_dim();
  if (count >= search.totals.size()) return;
  std::vector<std::size_t> order(search.totals.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return search.totals[a] < search.totals[b]; });
  order.resize(count);
  for (std::vector<float>* values : {&search.adam.values, &search.adam.first_moments, &search.adam.second_moments}) {
    std::vector<float> kept;
    for (const std::size_t i : order) {
      const auto begin = values->begin() + static_cast<std::ptrdiff_t>(i * n);
      kept.insert(kept.end(), begin, begin + static_cast<std::ptrdiff_t>(n));
    }
    *values = std::move(kept);
  }
  std::vector<double> totals;
  totals.reserve(order.size());
  for (const std::size_t i : order) totals.push_back(search.totals[i]);
  search.totals = std::move(totals);
}

void Projector::Step(Search& search) {
  const std::size_t n = generator_.noise_dim();
  std::vector<float>& latents = search.adam.values;
  const std::span<const float> gradient = GradientAt(latents, search.totals);
  search.RememberNearest(n);
  const double done = static_cast<double>(search.step++) / static_cast<double>(options_.steps);
  AdamStep(gradient, kRate * (1 + std::cos(done * M_PI)) / 2, search.step, search.adam);
  for (std::size_t i = 0; i < latents.size(); i += n) Shorten(std::span(latents).subspan(i, n));
}

// Beyond the length of typical latents by far, a point counts as worse than every other.
double Projector::Value(const std::vector<float>& latent, std::vector<double>& gradient) {
  std::vector<double> totals;
  const std::span<const float> found = GradientAt(latent, totals);
  gradient.assign(found.begin(), found.end());
  return Length(latent) > MostLength(latent.size()) ? double{INFINITY} : totals.front();
}

Projection Projector::Project(std::span<const float> photograph, const OnStep& on_step) {
  SetPhotograph(photograph);
  Search search = Begin();
  const std::size_t with_adam = options_.steps / 2;
  while (search.step < with_adam) {
    Step(search);
    if (search.step % std::max<std::size_t>(1, with_adam / kRounds) == 0) {
      KeepNearest(search, (search.totals.size() + 1) / 2);
    }
    on_step(search.step);
  }
  Lbfgs last([this](const auto& point, auto& gradient) { return Value(point, gradient); }, search.best);
  double before = INFINITY;  // the value at the last look
  for (std::size_t step = with_adam; step < options_.steps && last.Evaluate(); ++step) {
    on_step(step + 1);
    if ((step - with_adam) % kLook != 0) continue;
    if (last.best_value() > kStalled * before) break;
    before = last.best_value();
  }
  on_step(options_.steps);
  const std::span<const float> image = generator_.Forward(last.best());
  Projection found{.latent = last.best(), .image = FromBlocks(image, side()), .distances = {}};
  found.distances = distance_.Measure(image, Distance::Want::kValues).distances.front();
  return found;
}

}  // namespace gan::project
