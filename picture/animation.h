#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gan::picture {

// An animated WebP, frame by frame, repeated for ever. Not thread-safe. Throws std::runtime_error when libwebp fails.
class WebpAnimation {
 public:
  WebpAnimation(std::uint32_t width, std::uint32_t height, double frames_per_second);
  ~WebpAnimation();
  WebpAnimation(const WebpAnimation&) = delete;
  WebpAnimation& operator=(const WebpAnimation&) = delete;

  void Add(std::span<const std::uint8_t> rgb);  // uint8 [height, width, 3]
  std::string Finish();                         // the bytes of the file

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gan::picture
