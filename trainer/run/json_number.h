#pragma once

#include <cmath>

#include <nlohmann/json.hpp>

namespace gan::run {

// NaN and the infinities are null, because JSON cannot represent them.
inline nlohmann::json JsonNumber(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

}  // namespace gan::run
