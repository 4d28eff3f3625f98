#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

namespace gan::project {

// L-BFGS (Nocedal and Wright, "Numerical optimization", 2006, algorithm 7.5) with a backtracking line search: the last
// part of a projection, when one start is left and curvature helps.
class Lbfgs {
 public:
  // Returns the value of the function at a point and computes its gradient.
  using Function = std::function<double(const std::vector<float>& point, std::vector<double>& gradient)>;

  Lbfgs(Function function, std::vector<float> start);

  // Evaluates the function once. Returns false when no smaller value was found along the steepest descent, which ends
  // the search.
  bool Evaluate();

  const std::vector<float>& best() const { return point_; }
  double best_value() const { return value_; }

 private:
  struct Pair {
    std::vector<double> step, change;  // differences between two points, and between their gradients
    double curvature;                  // their product
  };

  std::vector<double> Direction() const;
  void BeginLine();
  void Accept(const std::vector<float>& point, double value, const std::vector<double>& gradient);

  Function function_;
  std::vector<float> point_;
  double value_ = 0;
  std::vector<double> gradient_, direction_;
  std::deque<Pair> pairs_;
  double length_ = 1, slope_ = 0;  // along direction_
  bool begun_ = false;
};

}  // namespace gan::project
