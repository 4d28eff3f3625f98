// The complete interface of the drawing plugin: one C function that plot.cpp looks up by name.
#pragma once

#include <cstddef>
#include <cstdint>

struct GanPlotSeries {
  const char* name;
  const double* x;  // ascending
  const double* y;  // a value that is not finite marks a missing point
  std::size_t count;
};

struct GanPlotPanel {
  const char* title;
  const GanPlotSeries* series;
  std::size_t count;
};

extern "C" {
// Draws the panels in two columns onto uint8 [height, width, 3]. Returns whether it succeeded.
bool GanPlotDraw(const GanPlotPanel* panels, std::size_t count, std::uint8_t* rgb, std::uint32_t width,
                 std::uint32_t height);
}
