// Which steps are worth an alert.
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
  static constexpr std::uint64_t kLastingSteps = 100;  // a verdict other than balanced that lasts so long is told

  // The alerts of one step. A lasting verdict is told once, and its end too.
  std::vector<monitoring::Alert> Observe(std::uint64_t step, std::uint64_t images, balance::Verdict verdict,
                                         const std::vector<balance::Intervention>& interventions);

 private:
  balance::Verdict verdict_ = balance::Verdict::kBalanced;
  std::uint64_t since_ = 0;  // step at which this verdict began
  bool told_ = false;
};

// Interventions that change a network or what it is trained for, or discard steps.
bool IsHeavy(std::string_view action);

}  // namespace gan::run
