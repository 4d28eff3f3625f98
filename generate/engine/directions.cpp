#include "generate/engine/directions.h"

#include <Eigen/Eigenvalues>
#include <cmath>

#include "generate/engine/kernels.h"

namespace gan::generate {

namespace {

// The first layer as a matrix, double [noise_dim, out * taps], multiplied by the factors of its batch norm. The inputs
// for the class are left out.
Eigen::MatrixXd FirstLayer(const Generator& generator) {
  const Layer& layer = generator.layers.front();
  const std::size_t noise_dim = generator.noise_dim();
  Eigen::MatrixXd matrix(noise_dim, layer.out * kTaps);
  for (std::size_t c = 0; c < layer.out; ++c) {
    const double factor =
        layer.norm ? double{layer.norm->scale[c]} / std::sqrt(double{layer.norm->variance[c]} + kBatchNormEpsilon) : 1;
    for (std::size_t k = 0; k < noise_dim; ++k) {
      for (std::size_t t = 0; t < kTaps; ++t) {
        matrix(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(c * kTaps + t)) =
            factor * double{layer.weight[(k * layer.out + c) * kTaps + t]};
      }
    }
  }
  return matrix;
}

}  // namespace

Latents PrincipalDirections(const Generator& generator) {
  const Eigen::MatrixXd matrix = FirstLayer(generator);
  // The principal directions of the latent space are the eigenvectors of the matrix times its transpose. This product
  // is small: it has noise_dim rows and columns.
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix * matrix.transpose());
  const auto n = static_cast<Eigen::Index>(generator.noise_dim());
  Latents directions{.noise_dim = generator.noise_dim(), .values = {}, .seeds = {}};
  for (Eigen::Index i = n; i-- > 0;) {  // the solver sorts by rising eigenvalue
    const Eigen::VectorXd vector = solver.eigenvectors().col(i);
    Eigen::Index largest = 0;
    vector.cwiseAbs().maxCoeff(&largest);
    // The sign of an eigenvector is arbitrary. Without a rule, a direction could be reversed on another processor.
    const double sign = vector(largest) < 0 ? -1 : 1;
    for (Eigen::Index k = 0; k < n; ++k) directions.values.push_back(static_cast<float>(sign * vector(k)));
  }
  return directions;
}

Latents Sheet(const Latents& base, const Latents& directions, std::size_t rows, std::size_t columns, double strength) {
  const std::size_t n = base.noise_dim;
  Latents sheet{.noise_dim = n, .values = {}, .seeds = {}};
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const double along = strength * (2 * static_cast<double>(column) / static_cast<double>(columns - 1) - 1);
      for (std::size_t k = 0; k < n; ++k) {
        sheet.values.push_back(
            static_cast<float>(double{base.values[k]} + along * double{directions.values[row * n + k]}));
      }
    }
  }
  return sheet;
}

}  // namespace gan::generate
