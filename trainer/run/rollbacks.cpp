#include "trainer/run/rollbacks.h"

#include "storage/errors.h"
#include "storage/sealed_json.h"

namespace gan::run {

Rollbacks Rollbacks::Parse(const std::string& text, const std::filesystem::path& file) {
  Rollbacks rollbacks;
  if (text.empty()) return rollbacks;
  const nlohmann::json object = storage::ParseJsonObject(text, file);
  try {
    for (const auto& item : object.at("rollbacks")) {
      rollbacks.all_.push_back({item.at("from_step").get<std::uint64_t>(), item.at("to_step").get<std::uint64_t>(),
                                item.at("cause").get<std::string>(), item.at("done").get<bool>()});
    }
  } catch (const nlohmann::json::exception& error) {
    throw DataError(file, error.what());
  }
  return rollbacks;
}

std::string Rollbacks::Text() const {
  nlohmann::json list = nlohmann::json::array();
  for (const Rollback& one : all_) {
    list.push_back({{"from_step", one.from}, {"to_step", one.to}, {"cause", one.cause}, {"done", one.done}});
  }
  return nlohmann::json({{"rollbacks", list}}).dump(2) + "\n";
}

std::uint64_t Rollbacks::TrainedAtLast() const { return all_.empty() ? 0 : ForgottenSteps() + all_.back().to; }

std::uint64_t Rollbacks::ForgottenSteps() const {
  std::uint64_t steps = 0;
  for (const Rollback& one : all_) steps += one.from - one.to;
  return steps;
}

}  // namespace gan::run
