#pragma once

namespace gan::step {

struct AdamOptions {
  double beta1 = 0.5;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

}  // namespace gan::step
