// JPEG 2000 and Radiance HDR by OpenCV, which loads GDAL and a hundred other libraries.
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <cstring>
#include <iostream>

#include "preprocess/decode/decoder_plugin.h"

namespace {

// One sample as 8 bits: 16-bit samples keep their high byte; floats, where 1 is white, are clamped to 1.
std::uint8_t Sample(const cv::Mat& in, int y, int i) {
  switch (in.depth()) {
    case CV_8U:
      return in.ptr<std::uint8_t>(y)[i];
    case CV_16U:
      return static_cast<std::uint8_t>(in.ptr<std::uint16_t>(y)[i] >> 8);
    default:
      return static_cast<std::uint8_t>(std::clamp(in.ptr<float>(y)[i] * 255.0F, 0.0F, 255.0F) + 0.5F);
  }
}

// OpenCV keeps blue first.
void Copy(const cv::Mat& in, int channels, std::uint8_t* out) {
  const int n = in.channels();
  for (int y = 0; y < in.rows; ++y) {
    for (int x = 0; x < in.cols; ++x, out += channels) {
      out[0] = Sample(in, y, x * n + (n < 3 ? 0 : 2));
      out[1] = Sample(in, y, x * n + (n < 3 ? 0 : 1));
      out[2] = Sample(in, y, x * n);
      if (channels == 4) out[3] = Sample(in, y, x * n + n - 1);
    }
  }
}

// OpenCV reports damage on standard error, without the name of the file. The quarantine contains both.
class Silence {
 public:
  Silence() { cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT); }
  ~Silence() { std::cerr.rdbuf(before_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  std::streambuf* const before_ = std::cerr.rdbuf(nullptr);
};

int Decode(const std::uint8_t* file, std::size_t bytes, const GanDecodeHost& host) {
  const cv::Mat data(1, static_cast<int>(bytes), CV_8U, const_cast<std::uint8_t*>(file));
  const cv::Mat image = cv::imdecode(data, cv::IMREAD_UNCHANGED | cv::IMREAD_IGNORE_ORIENTATION);
  if (image.empty()) return kGanCorrupt;
  const bool known = image.depth() == CV_8U || image.depth() == CV_16U || image.depth() == CV_32F;
  if (!known || image.channels() > 4) return kGanUnsupported;
  // Two channels are grey and alpha.
  const int channels = image.channels() % 2 == 0 ? 4 : 3;
  // No own bytes are reported: the caller has reserved them from the header, because OpenCV allocates before it can
  // ask.
  std::uint8_t* out = host.allocate(host.context, static_cast<std::uint32_t>(image.cols),
                                    static_cast<std::uint32_t>(image.rows), channels, 0);
  if (out == nullptr) return kGanRefused;
  Copy(image, channels, out);
  return kGanDecoded;
}

}  // namespace

int GanDecode(const std::uint8_t* file, std::size_t bytes, const GanDecodeHost* host) {
  const Silence silence;
  try {
    return Decode(file, bytes, *host);
  } catch (const std::exception& error) {
    host->explain(host->context, error.what());
    return kGanCorrupt;
  }
}

const char* GanDecoderLibrary() { return "OpenCV " CV_VERSION; }
