#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "trainer/balance/balance.h"
#include "trainer/run/measurement.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// The measurements of a step, reduced over all ranks and equal on every rank. Each is a row of StepNumbers(). Those
// that the code reads have a member here.
struct Observation {
  double loss_d = 0, loss_d_real = 0, loss_d_fake = 0, loss_g = 0;
  double accuracy_real = 0, accuracy_fake = 0;
  // P(D(real) > D(fake)), where a tie counts one half, computed over each rank's pairs and averaged over the ranks.
  // auc_augmented: on D's augmented inputs. auc: on images without augmentation (negative: not measured).
  double auc_augmented = 0.5, auc = -1;
  // Mean distance of an image to its nearest neighbour in the batch; negative: a batch of one has none.
  double diversity = -1, diversity_reference = -1;
  bool stop_requested = false;                     // a rank has received a stop signal
  std::map<std::string_view, double> others = {};  // the rows without a member, by name
};

// All data about one finished step.
struct StepRecord {
  std::uint64_t step = 0;    // counted from 1
  std::uint64_t images = 0;  // real images consumed so far by all ranks
  double epoch = 0;
  double lr_g = 0, lr_d = 0;
  double augment_probability = 0;
  double seconds = 0;
  double images_per_second = 0;
  Observation seen;
  bool is_measured = false;            // a measurement of this state has begun
  std::optional<Measurement> quality;  // of an earlier state or this one; it takes effect in this step
  step::StepResult local;              // measurements of this rank alone
  balance::Verdict verdict = balance::Verdict::kBalanced;
  bool collapse_foretold = false;  // the controller expects a mode collapse
  std::vector<balance::Intervention> interventions;
  nlohmann::json classes;  // ClassWatch::Numbers()
  double classes_collapsed = 0, classes_separated = 0;
  std::vector<std::string> about_classes;  // lines for the log
};

}  // namespace gan::run
