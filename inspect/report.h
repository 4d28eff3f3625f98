#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace gan::inspect {

// What was found at a path: facts in the order in which they are shown, and everything that is wrong with it.
struct Report {
  nlohmann::ordered_json facts;
  std::vector<std::string> damage;  // the first kMaxDamage findings; each names a file and, where known, the offset
  std::size_t damage_count = 0;     // of all findings

  static constexpr std::size_t kMaxDamage = 100;

  void AddDamage(std::string finding);
  // Runs `check`; a DataError that it throws becomes a finding. Other exceptions pass. Returns whether all was well.
  bool Check(const std::function<void()>& check);
  void Add(const Report& part);  // its damage, not its facts
  bool intact() const { return damage_count == 0; }
};

// One fact a line, then the damage; ends with a line that says "intact" or "damaged".
std::string ReportText(const Report& report);
// One JSON object: the facts, `intact`, `damage_count` and `damage`.
std::string ReportJson(const Report& report);

}  // namespace gan::inspect
