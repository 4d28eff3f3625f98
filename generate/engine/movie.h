#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace gan::generate {

// An MP4 (H.264) made by the `ffmpeg` program of this machine, which gets the frames through a pipe. The complete file
// appears under its name when Finish returns. Not thread-safe. Throws UsageError when there is no ffmpeg, IoError when
// it fails (its messages are on stderr).
class Movie {
 public:
  Movie(std::filesystem::path path, std::uint32_t width, std::uint32_t height, double frames_per_second);
  ~Movie();  // ends ffmpeg and removes the unfinished file unless Finish returned
  Movie(const Movie&) = delete;
  Movie& operator=(const Movie&) = delete;

  void Add(std::span<const std::uint8_t> rgb);  // uint8 [height, width, 3]
  // xmp: an XMP packet to embed in the file; empty: none.
  void Finish(const std::string& xmp);

 private:
  int Wait();

  std::filesystem::path path_, temporary_;
  int pipe_ = -1;
  pid_t process_ = -1;
};

}  // namespace gan::generate
