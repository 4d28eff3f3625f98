#include "trainer/run/measurement.h"

namespace gan::run {

// CBOR, because JSON has neither NaN nor infinity.
std::string Encode(const Measurement& measured) {
  const std::vector<std::uint8_t> bytes =
      nlohmann::json::to_cbor(nlohmann::json::array({measured.values, measured.by_class}));
  return {bytes.begin(), bytes.end()};
}

Measurement Decode(const std::string& bytes) {
  const nlohmann::json both = nlohmann::json::from_cbor(bytes);
  Measurement measured;
  both.at(0).get_to(measured.values);
  measured.by_class = both.at(1);
  return measured;
}

nlohmann::json ToJson(const PendingMeasurement& pending) {
  return {{"step", pending.step}, {"images", pending.images}, {"due", pending.due}};
}

PendingMeasurement PendingFromJson(const nlohmann::json& pending) {
  return {pending.at("step").get<std::uint64_t>(), pending.at("images").get<std::uint64_t>(),
          pending.at("due").get<std::uint64_t>()};
}

}  // namespace gan::run
