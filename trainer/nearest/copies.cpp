#include "trainer/nearest/copies.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>

namespace gan::nearest {

namespace {

double Part(std::size_t some, std::size_t all) {
  return all > 0 ? static_cast<double>(some) / static_cast<double>(all) : std::numeric_limits<double>::quiet_NaN();
}

// The logarithm of n over k, because factorials overflow a double from 171 on.
double LogChoose(std::uint64_t n, std::uint64_t k) {
  const auto log_factorial = [](std::uint64_t i) { return std::lgamma(static_cast<double>(i) + 1); };
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

std::size_t CountCopies(std::span<const Neighbour> neighbours) {
  return static_cast<std::size_t>(std::ranges::count_if(neighbours, IsCopy));
}

}  // namespace

double Copies::rate() const { return Part(copies, images); }
double Copies::floor() const { return Part(held_out_copies, held_out); }

// Fisher, "The design of experiments", 1935. The tail of the hypergeometric distribution.
double FisherExact(std::uint64_t a, std::uint64_t n, std::uint64_t b, std::uint64_t m) {
  if (a == 0) return 1;  // exactly, whatever the rounding of the sum
  const std::uint64_t drawn = a + b;
  double sum = 0;
  // Given that a + b images of both kinds are copies, each term is the probability that k of them are generated ones.
  for (std::uint64_t k = a; k <= std::min(n, drawn); ++k) {
    sum += std::exp(LogChoose(n, k) + LogChoose(m, drawn - k) - LogChoose(n + m, drawn));
  }
  return std::min(sum, 1.0);
}

Copies Judge(std::span<const Neighbour> generated, std::span<const Neighbour> held_out) {
  std::set<std::size_t> originals;
  for (const Neighbour& neighbour : generated) {
    if (IsCopy(neighbour)) originals.insert(neighbour.image);
  }
  Copies found;
  found.images = generated.size();
  found.copies = CountCopies(generated);
  found.held_out = held_out.size();
  found.held_out_copies = CountCopies(held_out);
  found.originals = originals.size();
  found.probability = FisherExact(found.copies, found.images, found.held_out_copies, found.held_out);
  found.learnt_by_heart = found.probability < kChance && found.originals >= kFewestOriginals;
  return found;
}

std::string Words(const Copies& copies) {
  char text[160];
  std::snprintf(text, sizeof text, "%.0f %% of %zu generated images are copies of training images", 100 * copies.rate(),
                copies.images);
  std::string words = text;
  if (copies.held_out == 0) return words;
  std::snprintf(text, sizeof text, ", and %.0f %% of %zu held-out images", 100 * copies.floor(), copies.held_out);
  return words + text;
}

}  // namespace gan::nearest
