#include "generate/engine/sink.h"

#include <cctype>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <optional>

#include "generate/engine/generate.h"
#include "generate/engine/movie.h"
#include "generate/engine/npy.h"
#include "picture/animation.h"
#include "picture/grid.h"
#include "picture/marked_file.h"
#include "picture/png.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::generate {

namespace {

constexpr std::size_t kMostGridPixels = std::size_t{1} << 29;  // 1.5 GB, and twice that while the grid is laid out

std::string XmpOf(const std::optional<picture::Mark>& mark) { return mark ? picture::EncodeMark(*mark) : ""; }

// The base of all sinks that take 8-bit colours.
class RgbSink : public Sink {
 public:
  explicit RgbSink(std::size_t side) : side_(side) {}
  void Add(std::span<const float> pictures) final { AddRgb(ToRgb(pictures, side_)); }

 protected:
  virtual void AddRgb(std::span<const std::uint8_t> rgb) = 0;  // uint8 [N, side, side, 3]
  std::uint32_t side() const { return static_cast<std::uint32_t>(side_); }
  std::size_t picture_bytes() const { return side_ * side_ * 3; }

 private:
  std::size_t side_;
};

// Writes the numbers themselves, for other programs: a .npy file of float32 [N, 3, side, side].
class ArraySink : public Sink {
 public:
  ArraySink(const GenerateOptions& options, std::size_t count, std::size_t side) : file_(options.out) {
    file_.Append(NpyHeader({count, 3, side, side}));
  }
  void Add(std::span<const float> pictures) override { file_.Append(std::as_bytes(pictures)); }
  void Finish() override { file_.Commit(); }

 private:
  storage::AtomicFile file_;
};

// All pictures in one PNG, in a file or on stdout.
class GridSink : public RgbSink {
 public:
  GridSink(const GenerateOptions& options, std::size_t count, const Marker& marker, std::size_t side)
      : RgbSink(side),
        marker_(marker),
        out_(options.kind() == OutputKind::kStdout ? std::filesystem::path() : options.out),
        count_(count),
        columns_(options.columns > 0 ? options.columns
                                     : static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(count))))) {
    // Refused at the start, not after all images have been made.
    if (count * side * side <= kMostGridPixels) return;
    throw UsageError("a grid of " + std::to_string(count) + " images of " + std::to_string(side) + " x " +
                     std::to_string(side) + " pixels is too large for one file; --out FOLDER writes single images");
  }

  void AddRgb(std::span<const std::uint8_t> rgb) override { pixels_.insert(pixels_.end(), rgb.begin(), rgb.end()); }

  void Finish() override {
    const picture::GridImage grid =
        picture::Grid(pixels_, static_cast<std::uint32_t>(count_), side(), static_cast<std::uint32_t>(columns_));
    const std::string png = picture::EncodePng(grid.pixels, grid.width, grid.height, marker_.OfAll());
    if (!out_.empty()) return storage::WriteFileAtomically(out_, png);
    std::cout.write(png.data(), static_cast<std::streamsize>(png.size())).flush();
    // Flushed first, because a full disk or a closed pipe shows only then.
    if (!std::cout) throw IoError("stdout", "write", errno);
  }

 private:
  const Marker& marker_;
  std::filesystem::path out_;
  std::size_t count_, columns_;
  std::vector<std::uint8_t> pixels_;
};

// The name of a class in a file name. Class names are free text of the data set; a slash in one would lead out of the
// folder.
std::string InFileName(std::string name) {
  constexpr std::size_t kMost = 64;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') c = '_';
  }
  return name.substr(0, kMost);
}

// Writes one PNG per image: picture-00007-seed-42.png, picture-00007-cat-seed-42.png with classes, or frame-00007.png
// on a walk between latents.
class FolderSink : public RgbSink {
 public:
  FolderSink(const GenerateOptions& options, const Latents& latents, const std::vector<std::string>& class_names,
             const Marker& marker, std::size_t side)
      : RgbSink(side), marker_(marker), folder_(options.out), frames_(options.interpolate > 0), seeds_(latents.seeds) {
    for (const std::uint32_t one : latents.classes) classes_.push_back(InFileName(class_names.at(one)));
    storage::MakeFolders(folder_);
  }

  void AddRgb(std::span<const std::uint8_t> rgb) override {
    // Each file appears complete, so an interrupted call leaves only complete images.
    for (; !rgb.empty(); rgb = rgb.subspan(picture_bytes()), ++next_) {
      picture::WritePng(folder_ / Name(), rgb.first(picture_bytes()), side(), side(), marker_.OfOne(next_));
    }
  }
  void Finish() override {}

 private:
  std::string Name() const {
    char number[32];
    std::snprintf(number, sizeof number, "%s-%05zu", frames_ ? "frame" : "picture", next_);
    return number + (classes_.empty() || frames_ ? "" : "-" + classes_[next_]) +
           (seeds_.empty() ? "" : "-seed-" + std::to_string(seeds_[next_])) + ".png";
  }

  const Marker& marker_;
  std::filesystem::path folder_;
  bool frames_;
  std::vector<std::uint64_t> seeds_;
  std::vector<std::string> classes_;
  std::size_t next_ = 0;
};

class AnimationSink : public RgbSink {
 public:
  AnimationSink(const GenerateOptions& options, const Marker& marker, std::size_t side)
      : RgbSink(side),
        marker_(marker),
        out_(options.out),
        animation_(this->side(), this->side(), options.frames_per_second) {}

  void AddRgb(std::span<const std::uint8_t> rgb) override {
    for (; !rgb.empty(); rgb = rgb.subspan(picture_bytes())) animation_.Add(rgb.first(picture_bytes()));
  }
  void Finish() override {
    const std::string webp = animation_.Finish(), xmp = XmpOf(marker_.OfAll());
    storage::WriteFileAtomically(out_, xmp.empty() ? webp : picture::WebpWithXmp(webp, xmp));
  }

 private:
  const Marker& marker_;
  std::filesystem::path out_;
  picture::WebpAnimation animation_;
};

class MovieSink : public RgbSink {
 public:
  MovieSink(const GenerateOptions& options, const Marker& marker, std::size_t side)
      : RgbSink(side), marker_(marker), movie_(options.out, this->side(), this->side(), options.frames_per_second) {}

  void AddRgb(std::span<const std::uint8_t> rgb) override { movie_.Add(rgb); }
  void Finish() override { movie_.Finish(XmpOf(marker_.OfAll())); }

 private:
  const Marker& marker_;
  Movie movie_;
};

}  // namespace

std::unique_ptr<Sink> OpenSink(const GenerateOptions& options, const Latents& latents,
                               const std::vector<std::string>& class_names, const Marker& marker, std::size_t side) {
  switch (options.kind()) {
    case OutputKind::kAnimation:
      return std::make_unique<AnimationSink>(options, marker, side);
    case OutputKind::kMovie:
      return std::make_unique<MovieSink>(options, marker, side);
    case OutputKind::kArray:
      return std::make_unique<ArraySink>(options, latents.count(), side);
    case OutputKind::kFolder:
      return std::make_unique<FolderSink>(options, latents, class_names, marker, side);
    default:
      return std::make_unique<GridSink>(options, latents.count(), marker, side);
  }
}

}  // namespace gan::generate
