#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

// Expects stdio before it.
#include <jpeglib.h>

#include "preprocess/decode/decode_jpeg.h"
#include "preprocess/decode/jpeg_averages.h"

namespace gan::preprocess {
namespace {

struct Kind {
  std::uint32_t width, height;
  int across, down;  // sampling of the first component against the others
  int restart_rows;
};

Rgb8 Noise(std::uint32_t width, std::uint32_t height) {
  std::mt19937 random(width * 7919 + height);
  Rgb8 image(width, height);
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(random());
  return image;
}

// libjpeg's own script of ten scans, in which every average comes in two parts.
constexpr int kProgressive = 0;

// Noise: every sample differs from its neighbours, so a wrong one shows.
std::vector<std::byte> Encoded(const Kind& kind, int scans = 1) {
  Rgb8 image = Noise(kind.width, kind.height);
  jpeg_compress_struct info = {};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* data = nullptr;
  unsigned long bytes = 0;  // NOLINT(google-runtime-int): what libjpeg asks for
  jpeg_mem_dest(&info, &data, &bytes);
  info.image_width = kind.width;
  info.image_height = kind.height;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 92, TRUE);
  info.comp_info[0].h_samp_factor = kind.across;
  info.comp_info[0].v_samp_factor = kind.down;
  info.restart_in_rows = kind.restart_rows;
  std::vector<jpeg_scan_info> script;
  if (scans == kProgressive) jpeg_simple_progression(&info);
  if (scans > 1) {  // one for the averages, then the same few coefficients of the first component again and again
    script.push_back({.comps_in_scan = 3, .component_index = {0, 1, 2}, .Ss = 0, .Se = 0, .Ah = 0, .Al = 0});
    for (int i = 1; i < scans; ++i)
      script.push_back(
          {.comps_in_scan = 1, .component_index = {i % 3}, .Ss = i / 3 + 1, .Se = i / 3 + 1, .Ah = 0, .Al = 0});
    info.scan_info = script.data();
    info.num_scans = static_cast<int>(script.size());
  }
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = &image.pixels[std::size_t{3} * kind.width * info.next_scanline];
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> file(begin, begin + bytes);
  jpeg_destroy_compress(&info);
  std::free(data);  // NOLINT(cppcoreguidelines-no-malloc): libjpeg's
  return file;
}

class Collect : public RowSink {
 public:
  void Begin(const Region& where, std::uint32_t width, std::uint32_t height) override {
    where_ = where;
    width_ = width;
    height_ = height;
    pixels_.clear();
  }
  void Take(const std::uint8_t* rows, std::size_t row_bytes, std::uint32_t count) override {
    for (std::uint32_t y = 0; y < count; ++y, rows += row_bytes) {
      pixels_.insert(pixels_.end(), rows, rows + std::size_t{3} * where_.width);
    }
  }
  std::uint8_t At(std::uint32_t x, std::uint32_t y, std::uint32_t channel) const {
    return pixels_[3 * (std::size_t{where_.width} * (y - where_.y) + x - where_.x) + channel];
  }

  Region where_;
  std::uint32_t width_ = 0, height_ = 0;
  std::vector<std::uint8_t> pixels_;
};

// The number of samples that the resize reads and that differ from those of the whole picture.
int Differences(const std::vector<std::byte>& file, const JpegView& view, const Rgb8& whole) {
  Collect part;
  DecodeJpegRows(file, {}, view, part);
  EXPECT_EQ(whole.width, part.width_);
  EXPECT_EQ(whole.height, part.height_);
  const Region wanted = InputOfCrop(whole.width, whole.height, view.size, view.filter);
  int different = 0;
  for (std::uint32_t y = wanted.y; y < wanted.y + wanted.height; ++y) {
    for (std::uint32_t x = wanted.x; x < wanted.x + wanted.width; ++x) {
      for (std::uint32_t c = 0; c < 3; ++c) {
        different += part.At(x, y, c) != whole.pixels[3 * (std::size_t{whole.width} * y + x) + c] ? 1 : 0;
      }
    }
  }
  return different;
}

TEST(JpegRows, ThePartHasThePixelsOfTheWholeAtEverySamplingAndScale) {
  std::mt19937 random(4);
  const auto side = [&] { return static_cast<std::uint32_t>(40 + random() % 500); };
  for (const auto& [across, down] : {std::pair(1, 1), {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}}) {
    for (int turn = 0; turn < 12; ++turn) {
      const Kind kind = {side(), side(), across, down, turn % 4 == 3 ? 1 : 0};
      const std::vector<std::byte> file = Encoded(kind);
      for (const unsigned scale : {1U, 2U, 4U, 8U}) {
        const Rgb8 whole = DecodeJpegScaled(file, {}, scale);
        for (const std::uint32_t size : {8U, 33U}) {
          const JpegView view = {
              .size = size, .filter = turn % 2 == 0 ? Filter::kBilinear : Filter::kBox, .scale = scale};
          EXPECT_EQ(0, Differences(file, view, whole)) << kind.width << "x" << kind.height << " " << across << "x"
                                                       << down << " at 1/" << scale << " to " << size;
        }
      }
    }
  }
}

TEST(JpegRows, LessThanTheWholeIsDecodedWhereTheCropNeedsLess) {
  Collect part;
  DecodeJpegRows(Encoded({800, 100, 2, 2, 0}), {}, {.size = 32}, part);
  EXPECT_LT(part.where_.width, 150U);
  DecodeJpegRows(Encoded({100, 800, 2, 2, 0}), {}, {.size = 32}, part);
  EXPECT_LT(part.where_.height, 150U);
}

TEST(JpegRows, DamageBelowAndAboveTheCropIsNoticed) {
  const std::vector<std::byte> file = Encoded({64, 1600, 2, 2, 1});
  Collect part;
  for (const double place : {0.1, 0.9}) {
    std::vector<std::byte> damaged = file;
    const auto at = static_cast<std::size_t>(place * static_cast<double>(file.size()));
    std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(at), 40, std::byte{0x11});
    DecodeJpegRows(damaged, {}, {.size = 32}, part);
    EXPECT_EQ(1600U, part.where_.height) << "the whole decides";
  }
  std::vector<std::byte> cut(file.begin(), file.end() - 400);
  EXPECT_THROW(DecodeJpegRows(cut, {}, {.size = 32}, part), Rejected);
}

TEST(JpegRows, TooManyScansAreRefused) {
  Collect part;
  const std::vector<std::byte> file = Encoded({64, 64, 1, 1, 0}, 150);
  DecodeJpegRows(file, {}, {.size = 32}, part);
  EXPECT_EQ(64U, part.where_.height);
  // The last scan again and again: it says nothing new.
  constexpr std::array kStartOfScan = {std::byte{0xFF}, std::byte{0xDA}};
  const auto last = std::find_end(file.begin(), file.end(), kStartOfScan.begin(), kStartOfScan.end());
  ASSERT_NE(file.end(), last);
  const std::vector<std::byte> scan(last, file.end() - 2);
  std::vector<std::byte> bomb(file.begin(), file.end() - 2);
  for (int i = 0; i < 600; ++i) bomb.insert(bomb.end(), scan.begin(), scan.end());
  bomb.insert(bomb.end(), file.end() - 2, file.end());
  EXPECT_THROW(DecodeJpegRows(bomb, {}, {.size = 32}, part), Rejected);
}

TEST(JpegAverages, AProgressivePictureHasTheSamePixelsAtAnEighth) {
  std::mt19937 random(5);
  const auto side = [&] { return static_cast<std::uint32_t>(270 + random() % 500); };
  for (const int scans : {kProgressive, 20}) {  // 20: averages that come whole
    for (const int restart_rows : {0, 1}) {
      for (int turn = 0; turn < 6; ++turn) {
        const std::vector<std::byte> file = Encoded({side(), side(), 1, 1, restart_rows}, scans);
        ASSERT_TRUE(BaselineOfAverages(file, {}));
        EXPECT_EQ(0, Differences(file, {.size = 33, .scale = 8}, DecodeJpegScaled(file, {}, 8)));
      }
    }
  }
}

TEST(JpegAverages, ASubsampledComponentHasHalfTheDetail) {
  for (const auto& [across, down] : {std::pair(2, 1), {1, 2}, {2, 2}}) {
    const std::vector<std::byte> file = Encoded({801, 555, across, down, 0}, kProgressive);
    const auto averages = BaselineOfAverages(file, {});
    ASSERT_TRUE(averages);
    const Rgb8 whole = DecodeJpegScaled(file, {}, 8), ours = DecodeJpegScaled(*averages, {}, 8);
    ASSERT_EQ(whole.pixels.size(), ours.pixels.size());
    // Green is nearly luma, which has full detail: colours that lack detail change it little.
    double luma = 0;
    for (std::size_t i = 0; i < whole.pixels.size(); i += 3) {
      const auto of = [&](const Rgb8& image) {
        return 0.299 * image.pixels[i] + 0.587 * image.pixels[i + 1] + 0.114 * image.pixels[i + 2];
      };
      luma = std::max(luma, std::abs(of(whole) - of(ours)));
    }
    EXPECT_LT(luma, 1.5) << across << "x" << down;
  }
}

TEST(JpegAverages, WhatIsNotProgressiveOrDoesNotEndIsLeftToTheDecoder) {
  EXPECT_FALSE(BaselineOfAverages(Encoded({300, 300, 1, 1, 0}), {}));
  const std::vector<std::byte> file = Encoded({300, 300, 2, 2, 1}, kProgressive);
  for (std::size_t bytes = 0; bytes < file.size(); bytes += 97) {
    EXPECT_FALSE(BaselineOfAverages(std::span(file).first(bytes), {}));
  }
  EXPECT_THROW(BaselineOfAverages(file, {.max_pixels = 1000}), Rejected);
}

// Whatever the bytes are, the result is either nothing or a file that can be decoded.
TEST(JpegAverages, DamageGivesNothingOrAGoodFile) {
  const std::vector<std::byte> file = Encoded({120, 90, 2, 2, 1}, kProgressive);
  std::mt19937 random(6);
  int given = 0;
  for (int turn = 0; turn < 3000; ++turn) {
    std::vector<std::byte> damaged = file;
    for (std::size_t flips = 1 + random() % 3; flips > 0; --flips) {
      damaged[random() % std::min<std::size_t>(damaged.size(), turn % 2 == 0 ? 1500 : damaged.size())] ^=
          static_cast<std::byte>(1U << random() % 8);
    }
    std::optional<std::vector<std::byte>> averages;
    try {
      averages = BaselineOfAverages(damaged, {});
    } catch (const Rejected&) {  // another size
      continue;
    }
    if (!averages) continue;
    ++given;
    // A colour space that does not go with the number of components is refused by libjpeg, as in the file itself.
    try {
      DecodeJpegScaled(*averages, {}, 8);
    } catch (const Rejected&) {
      EXPECT_THROW(DecodeJpegScaled(damaged, {}, 8), Rejected);
    }
  }
  EXPECT_GT(given, 300);
}

}  // namespace
}  // namespace gan::preprocess
