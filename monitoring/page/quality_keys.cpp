#include "monitoring/page/quality_keys.h"

#include <algorithm>

namespace gan::monitoring {

std::uint64_t MeasuredStep(const nlohmann::json& line, std::uint64_t own_step) {
  const auto measured = line.find(kQualityStep);
  if (measured == line.end() || !measured->is_number_unsigned()) return own_step;
  // A measurement cannot be of a later step than its line; only a damaged file says so.
  return std::min(measured->get<std::uint64_t>(), own_step);
}

}  // namespace gan::monitoring
