// Each convolution of both networks by itself, on one thread: LibTorch's in both memory formats and the way that we
// choose, in turns, forward and backward, as GFLOP/s beside those of a large matrix product. Usage:
// convolutions FEATURES BATCH [TURNS]. With gan-train's allocator, as in training.
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "trainer/model/convolution.h"
#include "trainer/model/networks.h"

namespace {

using gan::model::ConvolutionPath;
using gan::model::DownConv2d;
using gan::model::UpConv2d;
using Place = gan::model::UpConv2dImpl::Place;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kResolution = 128;

double Seconds(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One way to compute one layer: its shortest times so far.
struct Way {
  std::function<torch::Tensor(const torch::Tensor&)> forward;
  torch::Tensor input, weight;
  double forward_seconds = std::numeric_limits<double>::infinity();
  double backward_seconds = std::numeric_limits<double>::infinity();

  void Measure() {
    torch::Tensor output;
    forward_seconds = std::min(forward_seconds, Seconds([&] { output = forward(input); }));
    const torch::Tensor gradient = torch::ones_like(output);
    backward_seconds = std::min(backward_seconds, Seconds([&] {
                                  torch::autograd::grad({output}, {input, weight}, {gradient});
                                }));
  }
};

template <typename Layer>
Way WayOf(Layer layer, const torch::Tensor& input, torch::MemoryFormat format) {
  layer->weight.set_data(layer->weight.detach().contiguous(format));
  return {[layer](const torch::Tensor& x) mutable { return layer->forward(x); },
          input.contiguous(format).requires_grad_(), layer->weight};
}

template <typename MakeLayer>
void Compare(const std::string& name, const MakeLayer& make, const torch::Tensor& input, double gigaflops, int turns) {
  std::vector<Way> ways = {WayOf(make(ConvolutionPath::kTorch), input, torch::MemoryFormat::Contiguous),
                           WayOf(make(ConvolutionPath::kTorch), input, torch::MemoryFormat::ChannelsLast),
                           WayOf(make(ConvolutionPath::kAuto), input, torch::MemoryFormat::ChannelsLast)};
  for (int turn = 0; turn < turns; ++turn) {
    for (Way& way : ways) way.Measure();
  }
  std::printf("%-20s", name.c_str());
  for (const Way& way : ways) {
    std::printf("  %7.2f %7.2f (%4.0f)", 1e3 * way.forward_seconds, 1e3 * way.backward_seconds,
                3 * gigaflops / (way.forward_seconds + way.backward_seconds));
  }
  std::printf("  %5.2f x\n", (ways[1].forward_seconds + ways[1].backward_seconds) /
                                 (ways[2].forward_seconds + ways[2].backward_seconds));
}

double LargeProduct(int turns) {
  const torch::Tensor a = torch::rand({2048, 2048}), b = torch::rand({2048, 2048});
  double best = std::numeric_limits<double>::infinity();
  for (int turn = 0; turn < turns; ++turn) best = std::min(best, Seconds([&] { a.matmul(b); }));
  return 2 * 2.048 * 2.048 * 2.048 / best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: convolutions FEATURES BATCH [TURNS]\n");
    return 2;
  }
  const std::int64_t features = std::stoll(argv[1]), batch = std::stoll(argv[2]);
  const int turns = argc > 3 ? std::stoi(argv[3]) : 7;
  torch::set_num_threads(1);
  std::printf("features %ld, batch %ld, one thread; a large matrix product: %.0f GFLOP/s\n", features, batch,
              LargeProduct(turns));
  std::printf("%-20s  %-22s  %-22s  %-22s\n", "forward, backward ms", "LibTorch (GFLOP/s)", "LibTorch, NHWC", "ours");
  std::int64_t in = 3;
  for (std::int64_t side = kResolution / 2; side >= 2; side /= 2) {
    const std::int64_t out = gan::model::ChannelsAt(features, side);
    const double gigaflops = 32e-9 * static_cast<double>(batch * side * side * in * out);
    Compare(
        "D " + std::to_string(in) + " to " + std::to_string(out),
        [&](ConvolutionPath path) { return DownConv2d(in, out, path); }, torch::rand({batch, in, 2 * side, 2 * side}),
        gigaflops, turns);
    in = out;
  }
  in = 100;
  for (std::int64_t side = 4; side <= kResolution; side *= 2) {
    const std::int64_t out = side == kResolution ? 3 : gan::model::ChannelsAt(features, side);
    const std::int64_t from = side == 4 ? 1 : side / 2;
    const double gigaflops = 32e-9 * static_cast<double>(batch * from * from * in * out);
    Compare(
        "G " + std::to_string(in) + " to " + std::to_string(out),
        [&](ConvolutionPath path) { return UpConv2d(in, out, side == 4 ? Place::kFirst : Place::kOther, path); },
        torch::rand({batch, in, from, from}), gigaflops, turns);
    in = out;
  }
  return 0;
}
