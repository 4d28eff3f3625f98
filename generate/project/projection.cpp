#include "generate/project/projection.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "generate/project/lbfgs.h"
#include "trainer/data/sampler.h"

namespace gan::project {

namespace {

constexpr std::size_t kBatch = 32;            // of candidates
constexpr std::size_t kLeastCandidates = 32;  // candidates per class
constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
constexpr double kRate = 0.1;        // initial rate of Adam; it falls to 0 along half a cosine
constexpr double kMostLength = 1.3;  // relative to the length of a typical latent, sqrt(noise_dim)
constexpr std::size_t kLook = 15;    // evaluations between two comparisons of the distance
// The search ends unless the distance fell below this fraction of its earlier value.
constexpr double kStalled = 0.995;
constexpr std::size_t kShortlist = 4;  // candidates per start whose features are compared, not only their pixels
constexpr std::size_t kRounds = 6;     // rounds of Adam; each keeps the nearer half of the starts

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

// The distance has many local minima, so the search narrows in stages. Random latents are compared by their pixels, the
// nearest by features as well. The remaining ones are the starts, which follow their gradients; each round keeps the
// nearer half. L-BFGS then continues from the nearest one, because there its model of the curvature helps.

// The starts that are still followed.
struct Projector::Search {
  std::size_t noise_dim;
  AdamState adam;                      // each of size [count, noise_dim]
  std::vector<std::uint32_t> classes;  // [count], or empty
  std::vector<double> totals;          // distances of the latents before their last step
  std::vector<float> best;             // the latent with the smallest distance so far
  std::vector<std::uint32_t> best_class;
  double best_total = INFINITY;
  std::size_t step = 0;

  void RememberNearest() {
    const auto nearest = std::min_element(totals.begin(), totals.end());
    // Adam may lead away from the nearest point that it has passed, so that point is kept.
    if (*nearest >= best_total) return;
    best_total = *nearest;
    const auto at = static_cast<std::size_t>(nearest - totals.begin());
    const std::span<const float> latent = std::span(adam.values).subspan(at * noise_dim, noise_dim);
    best.assign(latent.begin(), latent.end());
    if (!classes.empty()) best_class = {classes[at]};
  }

  // The latents by distance, the nearest first.
  std::vector<std::size_t> Order() const {
    std::vector<std::size_t> order(totals.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return totals[a] < totals[b]; });
    return order;
  }

  void Keep(const std::vector<std::size_t>& chosen) {
    for (std::vector<float>* values : {&adam.values, &adam.first_moments, &adam.second_moments}) {
      std::vector<float> kept;
      for (const std::size_t i : chosen) {
        const std::span<const float> one = std::span(*values).subspan(i * noise_dim, noise_dim);
        kept.insert(kept.end(), one.begin(), one.end());
      }
      *values = std::move(kept);
    }
    Choose(chosen, totals);
    if (!classes.empty()) Choose(chosen, classes);
  }

  template <typename Value>
  static void Choose(const std::vector<std::size_t>& chosen, std::vector<Value>& values) {
    std::vector<Value> kept;
    kept.reserve(chosen.size());
    for (const std::size_t i : chosen) kept.push_back(values[i]);
    values = std::move(kept);
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
      inputs_(generator),
      generator_(generator),
      distance_(discriminator, generator.side(), options.feature_weight),
      candidates_(std::max(options.candidates, options.starts) * generator.noise_dim()) {
  const std::size_t n = generator.noise_dim();
  for (std::size_t i = 0; i < candidates_.size() / n; ++i) {
    // All photographs use one set of random latents, so the order of the photographs in a folder changes no result.
    data::FillNormal(candidates_.data() + i * n, n, options.seed, data::Stream::kProjection, 0, i);
  }
}

void Projector::SetPhotograph(std::span<const float> photograph) {
  distance_.SetPhotograph(ToBlocks(photograph, side()));
}

std::span<const float> Projector::GradientAt(std::span<const float> latents, std::span<const std::uint32_t> classes,
                                             std::vector<double>& totals) {
  const std::span<const float> images = generator_.Forward(inputs_.Join(latents, classes));
  Distance::Result result = distance_.Measure(images, Distance::Want::kGradient);
  totals = std::move(result.totals);
  return inputs_.LatentPart(generator_.Backward(result.gradient));
}

// All classes use the same random latents.
Projector::Search Projector::Begin() {
  const std::size_t n = inputs_.noise_dim(), classes = std::max<std::size_t>(1, options_.classes.size());
  const std::size_t starts = (options_.starts + classes - 1) / classes;
  const std::size_t wanted = std::max({options_.candidates / classes, kLeastCandidates, starts});
  const std::size_t candidates = std::min(candidates_.size() / n, wanted);
  Search search{.noise_dim = n, .adam = {}, .classes = {}, .totals = {}, .best = {}, .best_class = {}};
  for (std::size_t c = 0; c < classes; ++c) {
    const std::span<const float> latents = std::span(candidates_).first(candidates * n);
    search.adam.values.insert(search.adam.values.end(), latents.begin(), latents.end());
    if (!options_.classes.empty()) search.classes.insert(search.classes.end(), candidates, options_.classes[c]);
  }
  search.adam.first_moments.resize(search.adam.values.size());
  search.adam.second_moments.resize(search.adam.values.size());
  // Pixels alone at first, because the features cost a forward pass of D per candidate.
  Measure(Distance::Want::kPixels, search);
  KeepNearest(kShortlist * starts, search);
  Measure(Distance::Want::kValues, search);
  KeepNearest(starts, search);
  search.RememberNearest();
  return search;
}

void Projector::Measure(Distance::Want want, Search& search) {
  const std::size_t n = search.noise_dim, count = search.adam.values.size() / n;
  search.totals.clear();
  for (std::size_t done = 0; done < count; done += kBatch) {
    const std::size_t now = std::min(kBatch, count - done);
    const auto latents = std::span<const float>(search.adam.values).subspan(done * n, now * n);
    const auto classes = std::span<const std::uint32_t>(search.classes).subspan(search.classes.empty() ? 0 : done);
    const auto of_these = classes.first(std::min(now, classes.size()));
    const auto totals = distance_.Measure(generator_.Forward(inputs_.Join(latents, of_these)), want).totals;
    search.totals.insert(search.totals.end(), totals.begin(), totals.end());
  }
}

void Projector::KeepNearest(std::size_t of_each_class, Search& search) {
  std::map<std::uint32_t, std::size_t> kept;
  std::vector<std::size_t> chosen;
  for (const std::size_t i : search.Order()) {
    // Each class keeps some starts, because random latents say little about which class can come nearest.
    if (kept[search.classes.empty() ? 0 : search.classes[i]]++ < of_each_class) chosen.push_back(i);
  }
  search.Keep(chosen);
}

void Projector::KeepNearerHalf(Search& search) {
  std::vector<std::size_t> chosen = search.Order();
  chosen.resize((chosen.size() + 1) / 2);
  search.Keep(chosen);
}

void Projector::Step(Search& search) {
  const std::size_t n = search.noise_dim;
  std::vector<float>& latents = search.adam.values;
  const std::span<const float> gradient = GradientAt(latents, search.classes, search.totals);
  search.RememberNearest();
  const double done = static_cast<double>(search.step++) / static_cast<double>(options_.steps);
  AdamStep(gradient, kRate * (1 + std::cos(done * M_PI)) / 2, search.step, search.adam);
  // Without a bound the search would go to latents that are longer than any in training, for which the generator has
  // not been trained.
  for (std::size_t i = 0; i < latents.size(); i += n) Shorten(std::span(latents).subspan(i, n));
}

// A latent much longer than typical ones counts as worse than every other.
double Projector::Value(const std::vector<float>& latent, std::span<const std::uint32_t> of_class,
                        std::vector<double>& gradient) {
  std::vector<double> totals;
  const std::span<const float> found = GradientAt(latent, of_class, totals);
  gradient.assign(found.begin(), found.end());
  // The line search then takes a shorter step. Shortening the latent here would make value and gradient disagree.
  return Length(latent) > MostLength(latent.size()) ? double{INFINITY} : totals.front();
}

Projection Projector::Project(std::span<const float> photograph, const OnStep& on_step) {
  SetPhotograph(photograph);
  Search search = Begin();
  const std::size_t with_adam = options_.steps / 2;
  while (search.step < with_adam) {
    Step(search);
    if (search.step % std::max<std::size_t>(1, with_adam / kRounds) == 0) KeepNearerHalf(search);
    on_step(search.step);
  }
  const std::vector<std::uint32_t>& of_class = search.best_class;
  Lbfgs last([&](const auto& point, auto& gradient) { return Value(point, of_class, gradient); }, search.best);
  double before = INFINITY;  // the value at the last comparison
  for (std::size_t step = with_adam; step < options_.steps && last.Evaluate(); ++step) {
    on_step(step + 1);
    if ((step - with_adam) % kLook != 0) continue;
    if (last.best_value() > kStalled * before) break;
    before = last.best_value();
  }
  on_step(options_.steps);
  const std::span<const float> image = generator_.Forward(inputs_.Join(last.best(), of_class));
  Projection found{.latent = last.best(), .of_class = of_class, .image = FromBlocks(image, side()), .distances = {}};
  found.distances = distance_.Measure(image, Distance::Want::kValues).distances.front();
  return found;
}

}  // namespace gan::project
