// The drawing plugin's whole interface: one C function that plot.cpp looks up by name.
#pragma once

#include <cstddef>
#include <cstdint>

struct GanPlotSeries {
  const char* name;
  const double* x;  // ascending
  const double* y;  // not finite: no value
  std::size_t count;
};

struct GanPlotPanel {
  const char* title;
  const GanPlotSeries* series;
  std::size_t count;
};

extern "C" {
// Draws the panels in two columns onto uint8 [height, width, 3]. Whether that worked.
bool GanPlotDraw(const GanPlotPanel* panels, std::size_t count, std::uint8_t* rgb, std::uint32_t width,
                 std::uint32_t height);
}
