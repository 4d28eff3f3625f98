// Measures the convolutions of both networks, layer by layer, on one thread: each convolution down, up and the gradient
// of its weight. Each is computed by LibTorch in both memory formats, as one product of all patches, by Winograd's
// algorithm where it fits, and by the implementation that Equipoise chooses, in turns. Prints GFLOP/s of a direct
// convolution, beside those of a large matrix product by MKL (LibTorch's matmul) and by oneDNN. The last column
// compares our choice with the faster of the two that do all multiplications in channels-last order. D's layers go down
// and G's up; the backward of each uses the other two. Measured in CPU time, so that other programs disturb less, and
// with gan-train's allocator, as in training.
// Usage: convolutions FEATURES BATCH [TURNS]
#include <torch/utils.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <limits>
#include <vector>

#include "trainer/model/networks.h"
#include "trainer/model/patches.h"
#include "trainer/model/product.h"
#include "trainer/model/strided.h"
#include "trainer/model/winograd.h"

namespace {

using Work = std::function<torch::Tensor()>;

constexpr std::int64_t kResolution = 128;

double Seconds(const Work& work) {
  const std::clock_t start = std::clock();
  const torch::Tensor result = work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

// The shortest time of each one; all are measured in turns.
std::vector<double> Shortest(const std::vector<Work>& works, int turns) {
  std::vector<double> best(works.size(), std::numeric_limits<double>::infinity());
  for (int turn = 0; turn < turns; ++turn) {
    for (std::size_t i = 0; i < works.size(); ++i) best[i] = std::min(best[i], Seconds(works[i]));
  }
  return best;
}

struct Layer {
  torch::Tensor large, small, weight;

  Layer In(torch::MemoryFormat format) const {
    return {large.contiguous(format), small.contiguous(format), weight.contiguous(format)};
  }
  Work TorchsDown() const {
    return [*this] { return torch::conv2d(large, weight, /*bias=*/{}, /*stride=*/2, /*padding=*/1); };
  }
  Work TorchsUp() const {
    return [*this] { return torch::conv_transpose2d(small, weight, /*bias=*/{}, /*stride=*/2, /*padding=*/1); };
  }
  Work TorchsWeight() const {
    return [*this] {
      return std::get<1>(torch::convolution_backward(small, large, weight, c10::nullopt, {2, 2}, {1, 1}, {1, 1}, false,
                                                     {0, 0}, 1, {false, true, false}));
    };
  }
};

// seconds: the times of LibTorch in both formats, of the product of patches, of our choice, and of Winograd's algorithm
// where it fits.
void Print(const char* name, double gigaflops, const std::vector<double>& seconds) {
  std::printf("  %-7s", name);
  for (const double time : seconds) std::printf("  %8.2f ms (%4.0f)", 1e3 * time, gigaflops / time);
  std::printf("  %5.2f x\n", std::min(seconds[1], seconds[2]) / seconds[3]);
}

void Compare(std::int64_t in, std::int64_t out, std::int64_t side, std::int64_t batch, int turns) {
  const Layer plain = {torch::randn({batch, in, 2 * side, 2 * side}), torch::randn({batch, out, side, side}),
                       torch::randn({out, in, 4, 4})};
  const Layer last = plain.In(torch::MemoryFormat::ChannelsLast);
  const double gigaflops = 32e-9 * static_cast<double>(batch * side * side * in * out);
  std::printf("%ld channels of %ld pixels a side, %ld of %ld\n", in, 2 * side, out, side);
  namespace model = gan::model;
  std::vector<Work> down = {plain.TorchsDown(), last.TorchsDown(),
                            [&] { return model::PatchesDown(last.large, last.weight); },
                            [&] { return model::StridedDown(last.large, last.weight); }};
  std::vector<Work> up = {plain.TorchsUp(), last.TorchsUp(), [&] { return model::PatchesUp(last.small, last.weight); },
                          [&] { return model::StridedUp(last.small, last.weight); }};
  std::vector<Work> weight = {plain.TorchsWeight(), last.TorchsWeight(),
                              [&] { return model::PatchesWeight(last.large, last.small); },
                              [&] { return model::StridedWeight(last.large, last.small); }};
  if (model::WinogradFits(torch::kFloat, in, out, side)) {
    down.push_back([&] { return model::WinogradDown(last.large, last.weight); });
    up.push_back([&] { return model::WinogradUp(last.small, last.weight); });
    weight.push_back([&] { return model::WinogradWeight(last.large, last.small); });
  }
  Print("down", gigaflops, Shortest(down, turns));
  Print("up", gigaflops, Shortest(up, turns));
  Print("weight", gigaflops, Shortest(weight, turns));
}

void PrintLargeProducts(int turns) {
  const torch::Tensor a = torch::rand({2048, 2048}), b = torch::rand({2048, 2048});
  const auto seconds = Shortest({[&] { return a.matmul(b); }, [&] { return gan::model::Product(a, b); }}, turns);
  const double gigaflops = 2 * 2.048 * 2.048 * 2.048;
  std::printf("a large matrix product: %.0f GFLOP/s by MKL, %.0f by oneDNN\n", gigaflops / seconds[0],
              gigaflops / seconds[1]);
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
  const torch::NoGradGuard no_grad;
  std::printf("features %ld, batch %ld, one thread; in brackets GFLOP/s\n", features, batch);
  PrintLargeProducts(turns);
  std::printf("  %-7s  %-18s  %-18s  %-18s  %-18s  %-18s\n", "", "LibTorch, NCHW", "LibTorch, NHWC", "product", "ours",
              "Winograd");
  std::int64_t in = 3;
  for (std::int64_t side = kResolution / 2; side >= 2; side /= 2) {
    const std::int64_t out = gan::model::ChannelsAt(features, side);
    Compare(in, out, side, batch, turns);
    in = out;
  }
  return 0;
}
