#pragma once

#include <cmath>

#include <nlohmann/json.hpp>

namespace gan::run {

// JSON has no word for NaN and the infinities, so they are null.
inline nlohmann::json JsonNumber(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
}

}  // namespace gan::run
