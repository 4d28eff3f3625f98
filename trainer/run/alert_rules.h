// Decides which steps cause an alert.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "monitoring/push/alerts.h"
#include "trainer/balance/balance.h"

namespace gan::run {

// Not thread-safe.
class AlertRules {
 public:
  static constexpr std::uint64_t kLastingSteps = 100;  // steps after which a verdict other than balanced is reported

  // The alerts of one step. A lasting verdict is reported once, and so is its end.
  std::vector<monitoring::Alert> Observe(std::uint64_t step, std::uint64_t images, balance::Verdict verdict,
                                         const std::vector<balance::Intervention>& interventions);

 private:
  balance::Verdict verdict_ = balance::Verdict::kBalanced;
  std::uint64_t since_ = 0;  // step at which this verdict began
  bool told_ = false;
};

// Whether an intervention changes a network or its loss, or discards steps.
bool IsHeavy(std::string_view action);

}  // namespace gan::run
