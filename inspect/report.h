#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace gan::inspect {

// The result of an inspection: facts in the order in which they are printed, and the damage that was found.
struct Report {
  nlohmann::ordered_json facts;
  std::vector<std::string> damage;  // the first kMaxDamage findings; each names a file and, if known, the offset
  std::size_t damage_count = 0;     // number of all findings

  static constexpr std::size_t kMaxDamage = 100;

  void AddDamage(std::string finding);
  // Runs `check` and turns a DataError into a finding. Other exceptions propagate. Returns whether `check` threw
  // nothing.
  bool Check(const std::function<void()>& check);
  void Add(const Report& part);  // adds the damage of `part`, not its facts
  bool intact() const { return damage_count == 0; }
};

// One fact per line, then the damage. The last line says "intact" or "damaged".
std::string ReportText(const Report& report);
// One JSON object: the facts, `intact`, `damage_count` and `damage`.
std::string ReportJson(const Report& report);

}  // namespace gan::inspect
