// The part that links OpenCV, and with it GDAL and a hundred libraries: loaded for a BMP or TIFF and never before.
#include "preprocess/decode/opencv_plugin.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include <cstring>

namespace {

// uint8 RGBA of an 8- or 16-bit picture of 1, 3 or 4 channels; 16 bits keep their high byte.
bool ToRgba(const cv::Mat& in, std::uint8_t* out) {
  const int channels = in.channels();
  const bool wide = in.depth() == CV_16U;
  if ((!wide && in.depth() != CV_8U) || (channels != 1 && channels != 3 && channels != 4)) return false;
  for (int y = 0; y < in.rows; ++y) {
    for (int x = 0; x < in.cols; ++x, out += 4) {
      const auto at = [&](int c) {
        const int i = x * channels + c;
        return wide ? static_cast<std::uint8_t>(in.ptr<std::uint16_t>(y)[i] >> 8) : in.ptr<std::uint8_t>(y)[i];
      };
      out[0] = at(channels == 1 ? 0 : 2);  // OpenCV keeps blue first
      out[1] = at(channels == 1 ? 0 : 1);
      out[2] = at(0);
      out[3] = channels == 4 ? at(3) : 255;
    }
  }
  return true;
}

}  // namespace

int GanOpenCvDecode(const std::uint8_t* file, std::size_t bytes, GanOpenCvAllocate allocate, void* context) {
  try {
    const cv::Mat data(1, static_cast<int>(bytes), CV_8U, const_cast<std::uint8_t*>(file));
    const cv::Mat image = cv::imdecode(data, cv::IMREAD_UNCHANGED | cv::IMREAD_IGNORE_ORIENTATION);
    if (image.empty()) return kGanOpenCvCorrupt;
    std::uint8_t* out =
        allocate(context, static_cast<std::uint32_t>(image.cols), static_cast<std::uint32_t>(image.rows));
    if (out == nullptr) return kGanOpenCvTooLarge;
    return ToRgba(image, out) ? kGanOpenCvDone : kGanOpenCvUnsupported;
  } catch (const std::exception&) {
    return kGanOpenCvCorrupt;
  }
}

const char* GanOpenCvVersion() { return CV_VERSION; }
