// The transforms of the weight: the two that compute factors (winograd_tiles.h), and their transpose.
#include <algorithm>

#include "trainer/model/vector.h"
#include "trainer/model/winograd_tiles.h"

namespace gan::model {

namespace {

// Taps 1 and 3 of the kernel along one side meet even pixels of the large map, taps 0 and 2 odd ones.
constexpr std::size_t kTaps[2][2] = {{1, 3}, {0, 2}};

// The 36 factors of 8 large channels and one small one, from weight [4][4][large]: [9][4 phases].
// g0, g0 + g1 and g1 along both sides (winograd_tiles.cpp).
[[gnu::always_inline]] inline void Factors(const float* weight, std::size_t large,
                                           V (&factors)[kWinogradProducts][kWinogradPhases]) {
  for (std::size_t phase = 0; phase < kWinogradPhases; ++phase) {
    V across[2][3];
    for (std::size_t y = 0; y < 2; ++y) {
      const float* taps = weight + kTaps[phase / 2][y] * 4 * large;
      const V first = At(taps + kTaps[phase % 2][0] * large), second = At(taps + kTaps[phase % 2][1] * large);
      across[y][0] = first;
      across[y][1] = first + second;
      across[y][2] = second;
    }
    for (std::size_t j = 0; j < 3; ++j) {
      factors[j][phase] = across[0][j];
      factors[3 + j][phase] = across[0][j] + across[1][j];
      factors[6 + j][phase] = across[1][j];
    }
  }
}

}  // namespace

GAN_AVX2 void FactorsDown(const WinogradShape& shape, const float* weight, std::size_t begin, std::size_t end,
                          float* factors) {
  constexpr std::size_t kAll = kWinogradProducts * kWinogradPhases;
  for (std::size_t panel = begin; panel < end; ++panel) {
    for (std::size_t c = 0; c < shape.large; c += kVector) {
      // The weight has large channels side by side, the panel small ones. Transposing a block of 8 × 16 in the cache
      // lets memory be both read and written in order.
      float turned[kAll][kVector][kWinogradPanel];
      for (std::size_t k = 0; k < kWinogradPanel; ++k) {
        V of_one[kWinogradProducts][kWinogradPhases];
        Factors(weight + (panel * kWinogradPanel + k) * 16 * shape.large + c, shape.large, of_one);
        for (std::size_t i = 0; i < kAll; ++i) {
          for (std::size_t x = 0; x < kVector; ++x)
            turned[i][x][k] = of_one[i / kWinogradPhases][i % kWinogradPhases][x];
        }
      }
      for (std::size_t i = 0; i < kAll; ++i) {
        const std::size_t matrix = i / kWinogradPhases * (shape.small / kWinogradPanel) + panel;
        const std::size_t row = matrix * shape.phases() + i % kWinogradPhases * shape.large + c;
        std::copy_n(turned[i][0], kVector * kWinogradPanel, factors + row * kWinogradPanel);
      }
    }
  }
}

GAN_AVX2 void FactorsUp(const WinogradShape& shape, const float* weight, std::size_t begin, std::size_t end,
                        float* factors) {
  for (std::size_t c = begin * kWinogradPanel; c < end * kWinogradPanel; c += kVector) {
    for (std::size_t k = 0; k < shape.small; ++k) {
      V of_one[kWinogradProducts][kWinogradPhases];
      Factors(weight + k * 16 * shape.large + c, shape.large, of_one);
      for (std::size_t m = 0; m < kWinogradProducts; ++m) {
        for (std::size_t phase = 0; phase < kWinogradPhases; ++phase) {
          const std::size_t panel = (m * shape.phases() + phase * shape.large + c) / kWinogradPanel;
          At(factors + (panel * shape.small + k) * kWinogradPanel + c % kWinogradPanel) = of_one[m][phase];
        }
      }
    }
  }
}

GAN_AVX2 void WeightOfFactors(const WinogradShape& shape, const float* factors, std::size_t begin, std::size_t end,
                              float* weight) {
  for (std::size_t i = begin * 2 * shape.large / kVector; i < end * 2 * shape.large / kVector; ++i) {
    // The two halves of a panel one after the other, because their factors share cache lines.
    const std::size_t panel = i / (2 * shape.large / kVector), c = i / 2 % (shape.large / kVector) * kVector;
    const std::size_t k = panel * kWinogradPanel + i % 2 * kVector;
    for (std::size_t phase = 0; phase < kWinogradPhases; ++phase) {
      float taps[4][kVector][kVector];  // [2x2][small][large]
      for (std::size_t x = 0; x < kVector; ++x) {
        V down[2][3];
        for (std::size_t j = 0; j < 3; ++j) {
          const float* row = factors + (j * shape.phases() + phase * shape.large + c + x) * shape.small + k;
          const std::size_t step = 3 * shape.phases() * shape.small;
          const V middle = At(row + step);
          down[0][j] = At(row) + middle;
          down[1][j] = middle + At(row + 2 * step);
        }
        for (std::size_t y = 0; y < 2; ++y) {
          const V first = down[y][0] + down[y][1], second = down[y][1] + down[y][2];
          for (std::size_t n = 0; n < kVector; ++n) {
            taps[2 * y][n][x] = first[n];
            taps[2 * y + 1][n][x] = second[n];
          }
        }
      }
      for (std::size_t tap = 0; tap < 4; ++tap) {
        const std::size_t place = kTaps[phase / 2][tap / 2] * 4 + kTaps[phase % 2][tap % 2];
        for (std::size_t n = 0; n < kVector; ++n) {
          At(weight + ((k + n) * 16 + place) * shape.large + c) = At(taps[tap][n]);
        }
      }
    }
  }
}

}  // namespace gan::model
