#include "generate/engine/latents.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "checkpoint/weights_file.h"
#include "generate/engine/npy.h"
#include "generate/engine/recipe.h"
#include "storage/errors.h"
#include "trainer/data/sampler.h"

namespace gan::generate {

namespace {

constexpr std::size_t kMostSeeds = 1'000'000;

std::uint64_t ParseSeed(std::string_view text, const std::string& whole) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw UsageError("--seeds " + whole + ": \"" + std::string(text) + "\" is no number; write 1,5,10-20");
  }
  return seed;
}

void AddRange(std::string_view part, const std::string& whole, std::vector<std::uint64_t>& seeds) {
  const std::size_t dash = part.find('-');
  const std::uint64_t first = ParseSeed(part.substr(0, dash), whole);
  const std::uint64_t last = dash == std::string_view::npos ? first : ParseSeed(part.substr(dash + 1), whole);
  if (last < first) throw UsageError("--seeds " + whole + ": the range " + std::string(part) + " goes down");
  // Checked before anything is added, so that "0-18446744073709551615" cannot fill the memory.
  if (last - first >= kMostSeeds - seeds.size()) throw UsageError("--seeds " + whole + ": more than a million seeds");
  for (std::uint64_t i = 0; i <= last - first; ++i) seeds.push_back(first + i);
}

void Append(std::uint64_t seed, data::Stream stream, std::uint64_t cursor, Latents& latents) {
  latents.values.resize(latents.values.size() + latents.noise_dim);
  float* latent = latents.values.data() + latents.values.size() - latents.noise_dim;
  data::FillNormal(latent, latents.noise_dim, seed, stream, cursor, 0);
}

double Dot(const float* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

// Interpolates from a to b along the great circle, at t in [0, 1]; along the straight line where both have the same
// direction.
void Slerp(const float* a, const float* b, std::size_t n, double t, float* out) {
  const double cosine = Dot(a, b, n) / std::sqrt(Dot(a, a, n) * Dot(b, b, n));
  const double angle = std::acos(std::clamp(cosine, -1.0, 1.0));
  // Written so that NaN, which a latent of zeros gives, takes the straight line as well.
  const bool straight = !(std::sin(angle) > 1e-6);
  const double of_a = straight ? 1 - t : std::sin((1 - t) * angle) / std::sin(angle);
  const double of_b = straight ? t : std::sin(t * angle) / std::sin(angle);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(of_a * double{a[i]} + of_b * double{b[i]});
}

std::string TextOf(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

NumberArray ReadArray(const std::filesystem::path& file) {
  if (file.extension() == ".npy") return ReadNpy(file);
  if (file.extension() != ".safetensors") {
    throw UsageError(file.string() +
                     ": latents must be in a file that ends in .npy, .safetensors, .png, .webp or .mp4");
  }
  const checkpoint::WeightsFile tensors(file);
  // Scripts name their latents differently, so there is no rule that could choose among several tensors.
  if (tensors.tensors().size() != 1) throw DataError(file, "must hold exactly one tensor, the latents");
  const checkpoint::TensorView& only = tensors.tensors().begin()->second;
  return {only.shape, checkpoint::ToFloats(only, file)};
}

}  // namespace

std::vector<std::uint64_t> ParseSeeds(const std::string& text) {
  std::vector<std::uint64_t> seeds;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    AddRange(std::string_view(text).substr(begin, end - begin), text, seeds);
    begin = end + 1;
  }
  return seeds;
}

Latents FromSeeds(const std::vector<std::uint64_t>& seeds, std::size_t noise_dim) {
  Latents latents{.noise_dim = noise_dim, .values = {}, .seeds = seeds};
  // Each seed uses number 0 of its own stream. The grids of training have numbers 0, 1, 2, ... of the run's seed, so
  // only their first image equals that of a seed here.
  for (const std::uint64_t seed : seeds) Append(seed, data::Stream::kFixedLatents, 0, latents);
  return latents;
}

Latents FirstSeeds(std::size_t count, std::size_t noise_dim) {
  std::vector<std::uint64_t> seeds(count);
  std::iota(seeds.begin(), seeds.end(), 0);
  return FromSeeds(seeds, noise_dim);
}

Latents ForStatistics(std::uint64_t seed, std::size_t count, std::size_t noise_dim) {
  Latents latents{.noise_dim = noise_dim, .values = {}, .seeds = {}};
  for (std::size_t i = 0; i < count; ++i) Append(seed, data::Stream::kStatistics, i, latents);
  return latents;
}

void RequireFinite(const Latents& latents, const std::filesystem::path& file) {
  const auto& values = latents.values;
  const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  if (bad == values.end()) return;
  const auto at = static_cast<std::size_t>(bad - values.begin());
  throw DataError(file, "latent " + std::to_string(at / latents.noise_dim) + " is not finite at number " +
                            std::to_string(at % latents.noise_dim));
}

Latents FromFile(const std::filesystem::path& file, std::size_t noise_dim) {
  if (!std::filesystem::exists(file)) throw DataError(file, "no such file");
  const std::string ending = file.extension().string();
  if (ending == ".png" || ending == ".webp" || ending == ".mp4") return FromMarkedFile(file, noise_dim);
  NumberArray array = ReadArray(file);
  const auto& shape = array.shape;
  // [N, n, 1, 1] is what PyTorch's scripts feed to a generator.
  const bool flat = shape.size() == 2 || (shape.size() == 4 && shape[2] == 1 && shape[3] == 1);
  if (!flat || shape[0] < 1 || shape[1] != static_cast<std::int64_t>(noise_dim)) {
    throw DataError(file, "has the shape " + TextOf(shape) + "; latents must have the shape [N, " +
                              std::to_string(noise_dim) + "] of this generator");
  }
  Latents latents{.noise_dim = noise_dim, .values = std::move(array.values), .seeds = {}};
  RequireFinite(latents, file);
  return latents;
}

void Truncate(Latents& latents, double psi) {
  for (float& value : latents.values) value = static_cast<float>(double{value} * psi);
}

Latents Walk(const Latents& stops, std::size_t steps) {
  const std::size_t n = stops.noise_dim, count = stops.count();
  const std::size_t width = stops.embeddings.size() / count;
  Latents walk{.noise_dim = n, .values = std::vector<float>(count * steps * n), .seeds = {}};
  walk.embeddings.reserve(count * steps * width);
  const bool of_one_class =
      !stops.classes.empty() && std::ranges::count(stops.classes, stops.classes[0]) == std::ssize(stops.classes);
  if (of_one_class) walk.classes.assign(count * steps, stops.classes[0]);
  for (std::size_t i = 0; i < count * steps; ++i) {
    const float* from = stops.values.data() + i / steps * n;
    const float* to = stops.values.data() + (i / steps + 1) % count * n;
    const double t = static_cast<double>(i % steps) / static_cast<double>(steps);
    Slerp(from, to, n, t, walk.values.data() + i * n);
    const float* class_from = stops.embeddings.data() + i / steps * width;
    const float* class_to = stops.embeddings.data() + (i / steps + 1) % count * width;
    for (std::size_t k = 0; k < width; ++k) {
      walk.embeddings.push_back(static_cast<float>((1 - t) * double{class_from[k]} + t * double{class_to[k]}));
    }
  }
  return walk;
}

}  // namespace gan::generate
