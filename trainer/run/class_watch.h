#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trainer/data/classes.h"
#include "trainer/distributed/communicator.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// Watches each class of a conditional run: how diverse its generated images are, compared with its real ones, and how
// well D separates the two. A batch has few images of a class, so both are means over pairs of images of the class,
// weighted over recent steps. The same on every rank. Not thread-safe.
class ClassWatch {
 public:
  // Watches nothing when there are no classes, or more than step::kMostWatchedClasses.
  explicit ClassWatch(const data::Classes& classes);

  // Collective, with one all-reduce of six numbers per class. Returns lines for the log about classes whose state has
  // changed.
  std::vector<std::string> Observe(const step::StepResult& result, distributed::Communicator& communicator);

  // The numbers for stats.jsonl: class_diversity and class_auc by name (null until enough pairs were seen), and the
  // names in classes_collapsed and classes_separated. Empty when nothing is watched.
  nlohmann::json Numbers() const;
  double collapsed() const;  // number of classes
  double separated() const;

  nlohmann::json Save() const;
  void Restore(const nlohmann::json& state);  // a result of Save() for the same classes

 private:
  enum Sum : std::size_t { kRealDistance, kRealPairs, kFakeDistance, kFakePairs, kWins, kLogitPairs, kSums };
  struct Watched {
    std::string name;
    double sums[kSums] = {};
    double best = 0;  // the largest diversity so far
    bool collapsed = false, separated = false;

    double Diversity() const;  // negative: unknown
    double Auc() const;
  };

  std::vector<double> SumsOf(const step::StepResult& result) const;
  void TellCollapse(Watched& one, double usual, std::vector<std::string>& lines) const;
  void TellSeparation(Watched& one, double usual, std::vector<std::string>& lines) const;

  std::vector<Watched> classes_;
};

}  // namespace gan::run
