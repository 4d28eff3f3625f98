// The part that links OpenCV: loaded for --plot and never before.
#include "inspect/plot_plugin.h"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

namespace {

// Colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008), red first in memory.
const cv::Scalar kColours[] = {{0, 114, 178}, {213, 94, 0}, {0, 158, 115}, {204, 121, 167}};
const cv::Scalar kInk(60, 60, 60), kGridLine(225, 225, 225);
constexpr int kLeft = 70, kRight = 20, kTop = 36, kBottom = 34, kTicks = 4;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();

  void Add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Never empty, and with some air for what is flat.
  void Widen() {
    if (!(low <= high)) low = 0, high = 1;
    if (high - low < 1e-12 * std::max(std::abs(high), 1e-12))
      low -= std::abs(low) * 0.1 + 1e-9, high += std::abs(high) * 0.1 + 1e-9;
  }
  double At(double part) const { return low + (high - low) * part; }
  double PartOf(double value) const { return (value - low) / (high - low); }
};

void Text(cv::Mat& image, const std::string& text, cv::Point at, const cv::Scalar& colour, double size = 0.42) {
  cv::putText(image, text, at, cv::FONT_HERSHEY_SIMPLEX, size, colour, 1, cv::LINE_AA);
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
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
    for (int i = 0; i <= kTicks; ++i) {
      const double part = static_cast<double>(i) / kTicks;
      const cv::Point left = At(x_.low, y_.At(part)), bottom = At(x_.At(part), y_.low);
      cv::line(area_, left, At(x_.high, y_.At(part)), kGridLine);
      Text(area_, Number(y_.At(part)), {6, left.y + 4}, kInk, 0.38);
      Text(area_, Number(std::round(x_.At(part))), {bottom.x - 14, area_.rows - 14}, kInk, 0.38);
    }
  }

  void DrawCurve(const GanPlotSeries& series, const cv::Scalar& colour) {
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
