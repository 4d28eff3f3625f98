#include "trainer/run/class_watch.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>

#include "trainer/run/observe.h"

namespace gan::run {

namespace {

constexpr double kHalfLife = 50;   // steps
constexpr double kFewPairs = 100;  // with fewer, the mean is too uncertain
constexpr double kUnknown = -1;

// A class has collapsed when it is much less diverse than before, or than the other classes.
constexpr double kDiverse = 0.4;  // relative to the real images; a lower diversity cannot be compared
constexpr double kCollapsed = 0.5, kRecovered = 0.7;  // fractions of the diversity to compare with
// D separates a class when it does not separate the others.
constexpr double kSeparated = 0.995, kMixed = 0.98;

std::string Two(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

// The median of the known values; kUnknown when none is known.
double Median(std::vector<double> values) {
  std::erase_if(values, [](double value) { return value < 0; });
  if (values.empty()) return kUnknown;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// The logits of the images of one class.
std::vector<double> LogitsOfClass(const torch::Tensor& logits, const torch::Tensor& classes, std::size_t one) {
  std::vector<double> values;
  const auto* logit = logits.const_data_ptr<double>();
  const auto* of = classes.const_data_ptr<double>();
  for (std::int64_t i = 0; i < logits.numel(); ++i) {
    if (of[i] == static_cast<double>(one)) values.push_back(logit[i]);
  }
  return values;
}

nlohmann::json NumberOrNull(double value) { return value < 0 ? nlohmann::json() : nlohmann::json(value); }

}  // namespace

double ClassWatch::Watched::Diversity() const {
  if (sums[kRealPairs] < kFewPairs || sums[kFakePairs] < kFewPairs || !(sums[kRealDistance] > 0)) return kUnknown;
  return sums[kFakeDistance] / sums[kFakePairs] / (sums[kRealDistance] / sums[kRealPairs]);
}

double ClassWatch::Watched::Auc() const {
  return sums[kLogitPairs] < kFewPairs ? kUnknown : sums[kWins] / sums[kLogitPairs];
}

ClassWatch::ClassWatch(const data::Classes& classes) {
  if (classes.size() > step::kMostWatchedClasses) return;
  for (const data::ClassInfo& one : classes.all()) classes_.push_back({.name = one.name});
}

std::vector<double> ClassWatch::SumsOf(const step::StepResult& result) const {
  std::vector<double> sums;
  for (std::size_t one = 0; one < classes_.size(); ++one) {
    for (const torch::Tensor& distances : {result.real_class_distances, result.fake_class_distances}) {
      const double* pair = distances.const_data_ptr<double>() + 2 * one;
      sums.insert(sums.end(), {pair[0], pair[1]});
    }
    const std::vector<double> real = LogitsOfClass(result.real_logits, result.real_classes, one);
    const std::vector<double> fake = LogitsOfClass(result.fake_logits, result.fake_classes, one);
    const double pairs = static_cast<double>(real.size()) * static_cast<double>(fake.size());
    sums.insert(sums.end(), {pairs > 0 ? pairs * AreaUnderCurve(real, fake) : 0, pairs});
  }
  return sums;
}

std::vector<std::string> ClassWatch::Observe(const step::StepResult& result, distributed::Communicator& communicator) {
  if (classes_.empty()) return {};
  torch::Tensor all = torch::tensor(SumsOf(result), torch::kDouble);
  communicator.AllReduce(all);
  // Sums and numbers of pairs decay alike, so their quotient is a weighted mean, whatever number of pairs each step
  // had.
  const double keep = std::exp2(-1 / kHalfLife);
  const double* sum = all.const_data_ptr<double>();
  std::vector<double> diversities, aucs;
  for (Watched& one : classes_) {
    // A step that is not finite must not spoil the sums permanently.
    const bool finite = std::all_of(sum, sum + kSums, [](double value) { return std::isfinite(value); });
    for (double& mine : one.sums) mine = keep * mine + (finite ? *sum : 0), ++sum;
    one.best = std::max(one.best, one.Diversity());
    diversities.push_back(one.Diversity());
    aucs.push_back(one.Auc());
  }
  const double diversity = Median(diversities), auc = Median(aucs);
  std::vector<std::string> lines;
  for (Watched& one : classes_) {
    TellCollapse(one, diversity, lines);
    TellSeparation(one, auc, lines);
  }
  return lines;
}

// usual: the median of all classes.
void ClassWatch::TellCollapse(Watched& one, double usual, std::vector<std::string>& lines) const {
  const double now = one.Diversity(), reference = std::max(one.best, usual);
  // In the first steps generated images of a class are all alike, which is not a collapse.
  if (now < 0 || reference < kDiverse) return;
  const bool collapsed = now < (one.collapsed ? kRecovered : kCollapsed) * reference;
  if (collapsed == one.collapsed) return;
  one.collapsed = collapsed;
  lines.push_back("class \"" + one.name + "\" " +
                  (collapsed ? "has collapsed: its generated images have " + Two(now) +
                                   " of the diversity of its real ones; the median of the classes is " + Two(usual)
                             : "is diverse again: " + Two(now) + " of the diversity of its real images"));
}

void ClassWatch::TellSeparation(Watched& one, double usual, std::vector<std::string>& lines) const {
  const double now = one.Auc();
  if (now < 0) return;
  // If D separates every class, D is ahead, which the verdict reports. This message is about a class that differs from
  // the others.
  const bool separated = one.separated ? now > kMixed : now > kSeparated && usual < kMixed;
  if (separated == one.separated) return;
  one.separated = separated;
  lines.push_back("D " + std::string(separated ? "separates" : "no longer separates") +
                  " the generated images of class \"" + one.name + "\" perfectly from the real ones (AUC " + Two(now) +
                  ", median of the classes " + Two(usual) + ")");
}

nlohmann::json ClassWatch::Numbers() const {
  if (classes_.empty()) return nlohmann::json::object();
  nlohmann::json diversity = nlohmann::json::object(), auc = diversity, collapsed = nlohmann::json::array();
  nlohmann::json separated = collapsed;
  for (const Watched& one : classes_) {
    diversity[one.name] = NumberOrNull(one.Diversity());
    auc[one.name] = NumberOrNull(one.Auc());
    if (one.collapsed) collapsed.push_back(one.name);
    if (one.separated) separated.push_back(one.name);
  }
  return {{"class_diversity", diversity},
          {"class_auc", auc},
          {"classes_collapsed", collapsed},
          {"classes_separated", separated}};
}

double ClassWatch::collapsed() const {
  return static_cast<double>(std::ranges::count(classes_, true, &Watched::collapsed));
}

double ClassWatch::separated() const {
  return static_cast<double>(std::ranges::count(classes_, true, &Watched::separated));
}

nlohmann::json ClassWatch::Save() const {
  nlohmann::json state = nlohmann::json::array();
  for (const Watched& one : classes_) {
    state.push_back(
        {{"sums", one.sums}, {"best", one.best}, {"collapsed", one.collapsed}, {"separated", one.separated}});
  }
  return state;
}

void ClassWatch::Restore(const nlohmann::json& state) {
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    Watched& one = classes_[i];
    const nlohmann::json& saved = state.at(i);
    for (std::size_t k = 0; k < kSums; ++k) one.sums[k] = saved.at("sums").at(k);
    one.best = saved.at("best");
    one.collapsed = saved.at("collapsed");
    one.separated = saved.at("separated");
  }
}

}  // namespace gan::run
