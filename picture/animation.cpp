#include "picture/animation.h"

#include <webp/encode.h>
#include <webp/mux.h>

#include <cmath>
#include <stdexcept>

namespace gan::picture {

namespace {

constexpr float kQuality = 90;  // 0 to 100; differences to higher values are invisible in motion

void Require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("WebP animation: ") + what);
}

}  // namespace

struct WebpAnimation::State {
  WebPAnimEncoder* encoder = nullptr;
  WebPConfig config = {};
  std::uint32_t width = 0, height = 0;
  // libwebp expects the time at which a frame begins, in whole milliseconds. The product is rounded; adding rounded
  // durations would make a film of 24 frames per second too long.
  double frame_milliseconds = 0;
  std::uint64_t frames = 0;

  int Now() const { return static_cast<int>(std::lround(static_cast<double>(frames) * frame_milliseconds)); }
};

WebpAnimation::WebpAnimation(std::uint32_t width, std::uint32_t height, double frames_per_second)
    : state_(std::make_unique<State>()) {
  WebPAnimEncoderOptions options;
  Require(WebPAnimEncoderOptionsInit(&options) != 0 && WebPConfigInit(&state_->config) != 0, "another library version");
  // 0 repeats without end.
  options.anim_params.loop_count = 0;
  state_->config.quality = kQuality;
  state_->width = width;
  state_->height = height;
  state_->frame_milliseconds = 1000 / frames_per_second;
  state_->encoder = WebPAnimEncoderNew(static_cast<int>(width), static_cast<int>(height), &options);
  Require(state_->encoder != nullptr, "cannot begin");
}

WebpAnimation::~WebpAnimation() { WebPAnimEncoderDelete(state_->encoder); }

void WebpAnimation::Add(std::span<const std::uint8_t> rgb) {
  WebPPicture picture;
  Require(WebPPictureInit(&picture) != 0, "another library version");
  // WebPAnimEncoder compares frames in ARGB, to store only what has changed, and would convert YUV back.
  picture.use_argb = 1;
  picture.width = static_cast<int>(state_->width);
  picture.height = static_cast<int>(state_->height);
  const bool added = WebPPictureImportRGB(&picture, rgb.data(), 3 * picture.width) != 0 &&
                     WebPAnimEncoderAdd(state_->encoder, &picture, state_->Now(), &state_->config) != 0;
  WebPPictureFree(&picture);
  Require(added, WebPAnimEncoderGetError(state_->encoder));
  ++state_->frames;
}

std::string WebpAnimation::Finish() {
  // An empty frame ends the display time of the last one.
  Require(WebPAnimEncoderAdd(state_->encoder, nullptr, state_->Now(), nullptr) != 0, "cannot end");
  WebPData data;
  WebPDataInit(&data);
  Require(WebPAnimEncoderAssemble(state_->encoder, &data) != 0, WebPAnimEncoderGetError(state_->encoder));
  std::string bytes(reinterpret_cast<const char*>(data.bytes), data.size);
  WebPDataClear(&data);
  return bytes;
}

}  // namespace gan::picture
