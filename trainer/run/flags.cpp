#include "trainer/run/flags.h"

#include <algorithm>
#include <utility>

namespace gan::run {

nlohmann::json Flags::ToJson() const {
  nlohmann::json json;
  for (const auto& [name, value] : values_) json[name] = value.get();
  return json;
}

nlohmann::json Flags::JsonOf(const std::vector<std::filesystem::path>& paths) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& path : paths) list.push_back(path.string());
  return list;
}

void Flags::Read(const nlohmann::json& json, std::vector<std::filesystem::path>& paths) {
  paths.clear();
  for (const auto& path : json) paths.emplace_back(path.get<std::string>());
}

void Flags::Remember(OnResume on_resume, const std::string& name, Access access) {
  std::string key = name.substr(2);
  std::replace(key.begin(), key.end(), '-', '_');
  values_.emplace(key, std::move(access));
  if (on_resume == OnResume::kMayChange) may_change_.insert(key);
}

}  // namespace gan::run
