#include "preprocess/label_words.h"

#include <algorithm>

namespace gan::preprocess {

nlohmann::ordered_json LabelsJson(const Summary& s) {
  nlohmann::ordered_json labels = nlohmann::ordered_json::object();
  for (const auto& [name, count] : s.labels) labels[name] = count;
  return labels;
}

std::string LabelWords(const Summary& s) {
  constexpr std::size_t kShown = 20;
  std::string words = std::to_string(s.labels.size()) + (s.labels.size() == 1 ? " label:" : " labels:");
  for (std::size_t i = 0; i < std::min(kShown, s.labels.size()); ++i) {
    const auto& [name, count] = s.labels[i];
    words += (i == 0 ? " " : ", ") + (name.empty() ? "(none)" : name) + " " + std::to_string(count);
  }
  return words + (s.labels.size() > kShown ? ", ..." : "");
}

}  // namespace gan::preprocess
