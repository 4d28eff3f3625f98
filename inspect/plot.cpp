#include "inspect/plot.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "inspect/plot_plugin.h"
#include "monitoring/page/run_stats.h"
#include "picture/png.h"
#include "plugin/plugin.h"
#include "storage/errors.h"

namespace gan::inspect {

using nlohmann::json;

namespace {

constexpr std::uint32_t kWidth = 1280, kHeight = 1280;

struct PanelOfNames {
  const char* title;
  std::vector<const char*> series;  // columns of stats.jsonl
  bool sparse = false;              // measured in few steps, so gaps between the points are normal
};

// Numbers that are compared with each other are in the same panel.
const std::vector<PanelOfNames>& Panels() {
  static const std::vector<PanelOfNames> kPanels = {
      {"Loss", {"loss_d", "loss_g"}},
      {"D's mean output", {"d_real_mean", "d_fake_mean"}},
      {"D's accuracy", {"d_accuracy_real", "d_accuracy_fake"}},
      {"Balance", {"d_auc", "imbalance"}},
      {"Gradient norm", {"grad_norm_d", "grad_norm_g"}},
      {"Learning rate", {"lr_d", "lr_g"}},
      {"Diversity", {"diversity", "diversity_reference"}},
      {"Quality", {"quality_swd", "quality_ms_ssim"}, /*sparse=*/true},
  };
  return kPanels;
}

// A missing value becomes NaN, which interrupts the curve.
std::vector<double> Numbers(const json& values) {
  std::vector<double> numbers;
  for (const json& value : values) numbers.push_back(value.is_number() ? value.get<double>() : std::nan(""));
  return numbers;
}

// The plugin is loaded only for plotting, so that the other commands start without OpenCV.
decltype(&GanPlotDraw) LoadPlugin() {
  Plugin plugin("libgan_plot.so");
  auto* const draw = plugin.Find<decltype(GanPlotDraw)>("GanPlotDraw");
  if (draw == nullptr) throw std::runtime_error("drawing curves needs libgan_plot.so: " + plugin.why());
  return draw;
}

// RunStats limits the number of points, so that a run of any length can be drawn.
json ReadTable(const std::filesystem::path& run) {
  monitoring::RunStats stats(run / "stats.jsonl");
  while (!stats.Update()) {
  }
  json table = json::parse(stats.JsonText()).at("table");
  if (table.at("x").empty()) throw DataError(run / "stats.jsonl", "contains no step yet");
  return table;
}

// Owns the numbers that the plugin's plain structures point to. Lists, because their elements never move.
class Drawing {
 public:
  explicit Drawing(const json& table) : x_(Numbers(table.at("x"))) {
    for (const PanelOfNames& names : Panels()) {
      std::vector<GanPlotSeries>& series = series_.emplace_back();
      for (const char* name : names.series) {
        const auto found = table.at("series").find(name);
        // Only the means of the buckets are drawn. A column may be missing, because the run's options decide which
        // numbers are measured.
        if (found != table.at("series").end()) series.push_back(Series(name, found->at("mean"), names.sparse));
      }
      // A run without quality measures has no panel for them.
      if (names.sparse && std::ranges::all_of(series, [](const GanPlotSeries& s) { return s.count == 0; })) continue;
      panels_.push_back({names.title, series.data(), series.size()});
    }
  }
  const std::vector<GanPlotPanel>& panels() const { return panels_; }

 private:
  // For a sparse series the steps without a value are removed, so that the curve connects the remaining points.
  GanPlotSeries Series(const char* name, const json& values, bool sparse) {
    std::vector<double>& y = numbers_.emplace_back(Numbers(values));
    if (!sparse) return {name, x_.data(), y.data(), std::min(x_.size(), y.size())};
    std::vector<double>& x = numbers_.emplace_back();
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (std::isfinite(y[i])) x.push_back(x_[i]);
    }
    std::erase_if(y, [](double value) { return !std::isfinite(value); });
    return {name, x.data(), y.data(), y.size()};
  }

  std::vector<double> x_;
  std::list<std::vector<double>> numbers_;
  std::list<std::vector<GanPlotSeries>> series_;
  std::vector<GanPlotPanel> panels_;
};

}  // namespace

void PlotRun(const std::filesystem::path& run, const std::filesystem::path& png) {
  const Drawing drawing(ReadTable(run));
  const auto draw = LoadPlugin();
  // The plugin draws into memory of this program, so that this program needs none of OpenCV's types.
  std::vector<std::uint8_t> rgb(std::size_t{3} * kWidth * kHeight);
  if (!draw(drawing.panels().data(), drawing.panels().size(), rgb.data(), kWidth, kHeight)) {
    throw std::runtime_error("OpenCV could not draw the curves");
  }
  picture::WritePng(png, rgb, kWidth, kHeight);
}

}  // namespace gan::inspect
