// The layers of a generator that double the side, one by one: the product with all taps and Winograd's algorithm in
// turns, in the process's CPU time. The measurement behind WinogradConvolution::Pays.
// Usage: generate_convolutions [FEATURES] [BATCH] [TURNS]     (the generator is one of 128 px)
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>

#include "generate/engine/convolution.h"

namespace {

using namespace gan::generate;  // NOLINT(google-build-using-namespace): a program for measuring

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<float> Random(std::size_t count, float deviation) {
  static std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void MeasureLayer(std::size_t in, std::size_t out, std::size_t side, std::size_t batch, std::size_t turns) {
  const Layer layer{.in = in, .out = out, .weight = Random(in * out * kTaps, 0.02F), .norm = {}};
  const std::vector<float> ones(out, 1);
  const PackedConvolution all_taps(layer, ones, side, Algorithm::kAllTaps);
  const WinogradConvolution winograd(layer, ones, side, FastestKernels());
  const std::vector<float> input = Random(batch * in * side * side, 1);
  std::vector<float> output(batch * out * 4 * side * side);
  const auto seconds = [&](const auto& convolution) {
    const double start = CpuSeconds();
    convolution.Run(input.data(), batch, ones, Activation::kRelu, Layout::kBlocks, output.data());
    return CpuSeconds() - start;
  };
  seconds(all_taps), seconds(winograd);
  std::vector<double> before, after, ratios;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    before.push_back(seconds(all_taps));
    after.push_back(seconds(winograd));
    ratios.push_back(before.back() / after.back());
  }
  const double gigaflops = 2e-9 * static_cast<double>(batch * in * out * kTaps * side * side);
  std::printf("%4zu -> %3zu at %2zu  %6.1f  %6.1f  %5.2f  %s\n", in, out, side, gigaflops / Median(before),
              gigaflops / Median(after), Median(ratios), WinogradConvolution::Pays(in, out, side) ? "yes" : "");
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, std::size_t usual) { return argc > i ? std::stoul(argv[i]) : usual; };
  const std::size_t features = argument(1, 64), batch = argument(2, 8), turns = argument(3, 15);
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, 1);
  std::printf("channels, side    all taps  winograd  ratio  taken   (GFLOP/s of all taps, medians)\n");
  for (std::size_t layer = 1; layer < 4; ++layer) {
    MeasureLayer(features << (4 - layer), features << (3 - layer), std::size_t{4} << layer, batch, turns);
  }
}
