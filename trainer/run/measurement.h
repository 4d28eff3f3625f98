#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace gan::run {

// One measurement of quality, the same on every rank.
struct Measurement {
  std::uint64_t step = 0, images = 0;  // of the measured state
  std::vector<std::pair<std::string, double>> values;
  nlohmann::json by_class = nlohmann::json::object();  // for classes with enough held-out images
};

// The values and classes as bytes for the other ranks, bit for bit except for the payload of a NaN.
std::string Encode(const Measurement& measured);
Measurement Decode(const std::string& bytes);

// A measurement that has begun: the measured state, and the step in which its result takes effect.
struct PendingMeasurement {
  std::uint64_t step = 0, images = 0, due = 0;
};
nlohmann::json ToJson(const PendingMeasurement& pending);
// Throws nlohmann::json::exception.
PendingMeasurement PendingFromJson(const nlohmann::json& json);

}  // namespace gan::run
