// The part of gan-inspect that links OpenCV. It is loaded only for gan-inspect plot.
#include "inspect/plot_plugin.h"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

namespace {

// Colours that can be distinguished with any kind of colour vision (Okabe and Ito, 2008), in the order red, green,
// blue. OpenCV's own order is the reverse, but it only copies these numbers into pixels, and WritePng expects this one.
const cv::Scalar kColours[] = {{0, 114, 178}, {213, 94, 0}, {0, 158, 115}, {204, 121, 167}};
const cv::Scalar kInk(60, 60, 60), kGridLine(225, 225, 225);
constexpr int kLeft = 70, kRight = 20, kTop = 36, kBottom = 34;
constexpr double kMostTicks = 5;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();

  void Add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Makes sure that the range is not empty, and adds a margin around constant values.
  void Widen() {
    // Without any finite value, low is still infinity and high is minus infinity.
    if (!(low <= high)) low = 0, high = 1;
    if (high - low < 1e-12 * std::max(std::abs(high), 1e-12))
      low -= std::abs(low) * 0.1 + 1e-9, high += std::abs(high) * 0.1 + 1e-9;
  }
  double PartOf(double value) const { return (value - low) / (high - low); }
};

void Text(cv::Mat& image, const std::string& text, cv::Point at, const cv::Scalar& colour, double size = 0.42) {
  cv::putText(image, text, at, cv::FONT_HERSHEY_SIMPLEX, size, colour, 1, cv::LINE_AA);
}

// The distance between two ticks: 1, 2 or 5 times a power of ten, with at most kMostTicks intervals.
double TickStep(const Range& range) {
  const double least = (range.high - range.low) / kMostTicks, power = std::pow(10, std::floor(std::log10(least)));
  for (const double step : {power, 2 * power, 5 * power}) {
    if (step >= least) return step;
  }
  return 10 * power;
}

// As many decimals as the distance between the ticks needs. The small number makes up for a logarithm such as
// -2.9999999999999996.
std::string Number(double value, double step) {
  char text[32];
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  if (decimals > 5 || std::abs(value) >= 1e7) {
    std::snprintf(text, sizeof text, "%.3g", value);
  } else {
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
  }
  return text;
}

// The multiples of `step` within the range. The small margin keeps a tick at the border despite rounding. Adding 0.0
// turns -0 into 0, whose sign would be printed.
std::vector<double> Ticks(const Range& range, double step) {
  std::vector<double> ticks;
  const double last = std::floor(range.high / step + 1e-9);
  for (double i = std::ceil(range.low / step - 1e-9); i <= last; ++i) ticks.push_back(i * step + 0.0);
  return ticks;
}

class Panel {
 public:
  Panel(cv::Mat area, const GanPlotPanel& panel) : area_(std::move(area)), panel_(panel) {
    for (std::size_t s = 0; s < panel.count; ++s) {
      for (std::size_t i = 0; i < panel.series[s].count; ++i) {
        x_.Add(panel.series[s].x[i]);
        y_.Add(panel.series[s].y[i]);
      }
    }
    x_.Widen();
    y_.Widen();
  }

  void Draw() {
    DrawAxes();
    int legend = kLeft + 8 * static_cast<int>(std::string(panel_.title).size()) + 30;
    Text(area_, panel_.title, {kLeft, 22}, kInk, 0.5);
    for (std::size_t s = 0; s < panel_.count; ++s) {
      const cv::Scalar& colour = kColours[s % std::size(kColours)];
      DrawCurve(panel_.series[s], colour);
      Text(area_, panel_.series[s].name, {legend, 22}, colour);
      legend += 9 * static_cast<int>(std::string(panel_.series[s].name).size()) + 18;
    }
  }

 private:
  cv::Point At(double x, double y) const {
    const double width = area_.cols - kLeft - kRight, height = area_.rows - kTop - kBottom;
    return {kLeft + static_cast<int>(std::lround(width * x_.PartOf(x))),
            area_.rows - kBottom - static_cast<int>(std::lround(height * y_.PartOf(y)))};
  }

  void DrawAxes() {
    const double y_step = TickStep(y_), x_step = std::max(1.0, TickStep(x_));  // x counts steps
    for (const double y : Ticks(y_, y_step)) {
      const cv::Point left = At(x_.low, y);
      cv::line(area_, left, At(x_.high, y), kGridLine);
      Text(area_, Number(y, y_step), {6, left.y + 4}, kInk, 0.38);
    }
    // Numbers are centred under their ticks with the approximate width of a character.
    for (const double x : Ticks(x_, x_step)) {
      const std::string number = Number(x, x_step);
      const int centre = At(x, y_.low).x;
      Text(area_, number, {centre - 4 * static_cast<int>(number.size()), area_.rows - 14}, kInk, 0.38);
    }
  }

  void DrawCurve(const GanPlotSeries& series, const cv::Scalar& colour) {
    // An isolated point is drawn as a line of length zero.
    for (std::size_t i = 0; i < series.count; ++i) {
      if (!std::isfinite(series.y[i])) continue;
      const cv::Point here = At(series.x[i], series.y[i]);
      const bool joined = i > 0 && std::isfinite(series.y[i - 1]);
      cv::line(area_, joined ? At(series.x[i - 1], series.y[i - 1]) : here, here, colour, 2, cv::LINE_AA);
    }
  }

  cv::Mat area_;
  const GanPlotPanel& panel_;
  Range x_, y_;
};

}  // namespace

// Exceptions must not cross the C interface.
bool GanPlotDraw(const GanPlotPanel* panels, std::size_t count, std::uint8_t* rgb, std::uint32_t width,
                 std::uint32_t height) {
  try {
    cv::Mat image(static_cast<int>(height), static_cast<int>(width), CV_8UC3, rgb);
    image.setTo(cv::Scalar(255, 255, 255));
    const int rows = static_cast<int>((count + 1) / 2), panel_width = image.cols / 2, panel_height = image.rows / rows;
    for (int i = 0; i < static_cast<int>(count); ++i) {
      Panel(image(cv::Rect(i % 2 * panel_width, i / 2 * panel_height, panel_width, panel_height)), panels[i]).Draw();
    }
    return true;
  } catch (const std::exception&) {
    return false;
  }
}
