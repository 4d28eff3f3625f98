#include "generate/project/lbfgs.h"

#include <cmath>
#include <numeric>

namespace gan::project {

namespace {

constexpr std::size_t kHistory = 20;
constexpr double kSufficient = 1e-4;  // fraction of the decrease that the slope predicts
constexpr double kShorter = 0.5, kShortest = 1e-6;
constexpr double kFirstLength = 0.1;  // length of the first step, before any curvature is known

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void AddScaled(double factor, const std::vector<double>& from, std::vector<double>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
}

}  // namespace

Lbfgs::Lbfgs(Function function, std::vector<float> start) : function_(std::move(function)), point_(std::move(start)) {}

// The two-loop recursion (Nocedal and Wright, "Numerical optimization", 2006, algorithm 7.4). It applies the inverse of
// the approximate second derivatives to the gradient without ever forming that matrix.
std::vector<double> Lbfgs::Direction() const {
  std::vector<double> q = gradient_, weights(pairs_.size());
  for (std::size_t i = pairs_.size(); i-- > 0;) {
    weights[i] = Dot(pairs_[i].step, q) / pairs_[i].curvature;
    AddScaled(-weights[i], pairs_[i].change, q);
  }
  const double scale = pairs_.empty() ? kFirstLength / std::sqrt(Dot(q, q) + 1e-30)
                                      : pairs_.back().curvature / Dot(pairs_.back().change, pairs_.back().change);
  for (double& x : q) x *= scale;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    AddScaled(weights[i] - Dot(pairs_[i].change, q) / pairs_[i].curvature, pairs_[i].step, q);
  }
  for (double& x : q) x = -x;
  return q;
}

void Lbfgs::BeginLine() {
  direction_ = Direction();
  slope_ = Dot(direction_, gradient_);
  // The condition also holds for NaN. Without pairs the direction is against the gradient, which always leads down.
  if (!(slope_ < 0)) {
    pairs_.clear();
    direction_ = Direction();
    slope_ = Dot(direction_, gradient_);
  }
  length_ = 1;
}

void Lbfgs::Accept(const std::vector<float>& point, double value, const std::vector<double>& gradient) {
  Pair pair{std::vector<double>(point.size()), gradient, 0};
  for (std::size_t i = 0; i < point.size(); ++i) pair.step[i] = double{point[i]} - double{point_[i]};
  AddScaled(-1, gradient_, pair.change);
  pair.curvature = Dot(pair.step, pair.change);
  // A pair of negative curvature would make the approximation indefinite. The line search does not exclude it, since it
  // looks only at values.
  if (pair.curvature > 1e-10 * Dot(pair.change, pair.change)) pairs_.push_back(std::move(pair));
  if (pairs_.size() > kHistory) pairs_.pop_front();
  point_ = point;
  value_ = value;
  gradient_ = gradient;
  BeginLine();
}

bool Lbfgs::Evaluate() {
  if (!begun_) {
    begun_ = true;
    value_ = function_(point_, gradient_);
    BeginLine();
    return true;
  }
  std::vector<float> point = point_;
  for (std::size_t i = 0; i < point.size(); ++i) point[i] += static_cast<float>(length_ * direction_[i]);
  std::vector<double> gradient;
  const double value = function_(point, gradient);
  // Armijo's condition. A value of infinity or NaN fails it and makes the step shorter.
  if (value <= value_ + kSufficient * length_ * slope_) {
    Accept(point, value, gradient);
    return true;
  }
  length_ *= kShorter;
  if (length_ >= kShortest) return true;
  if (pairs_.empty()) return false;
  pairs_.clear();  // the stored curvature may be that of another place
  BeginLine();
  return true;
}

}  // namespace gan::project
