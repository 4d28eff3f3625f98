// Prints what trainer/nearest finds for nearest_test.py: nearest_dump SIDE FLIP TRAINING HELD_OUT GENERATED, each of
// the last three a file of uint8 [N, SIDE, SIDE, 3].
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/files.h"
#include "trainer/nearest/copies.h"

namespace {

using gan::nearest::Neighbour;
using gan::nearest::Thumbnail;

std::vector<Thumbnail> Thumbnails(const std::string& file, std::size_t side) {
  const std::string bytes = gan::storage::ReadFile(file);
  std::vector<std::uint8_t> rgb(3 * side * side);
  std::vector<Thumbnail> thumbnails;
  for (std::size_t at = 0; at + rgb.size() <= bytes.size(); at += rgb.size()) {
    std::memcpy(rgb.data(), bytes.data() + at, rgb.size());
    thumbnails.push_back(gan::nearest::ThumbnailOf(rgb, side));
  }
  return thumbnails;
}

nlohmann::json ToJson(const std::vector<Neighbour>& neighbours) {
  nlohmann::json list = nlohmann::json::array();
  for (const Neighbour& one : neighbours) list.push_back({one.image, one.mirrored, one.distance, one.ratio});
  return list;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const std::size_t side = std::strtoul(argv[1], nullptr, 10);
  const std::vector<Thumbnail> training = Thumbnails(argv[3], side);
  const gan::nearest::TrainingImages images(training, std::string(argv[2]) == "1");
  std::vector<Neighbour> held_out, generated;
  for (const Thumbnail& one : Thumbnails(argv[4], side)) held_out.push_back(images.NearestTo(one));
  for (const Thumbnail& one : Thumbnails(argv[5], side)) generated.push_back(images.NearestTo(one));
  const gan::nearest::Copies found = gan::nearest::Judge(generated, held_out);
  const nlohmann::json all = {{"thumbnail", training.front()},    {"held_out", ToJson(held_out)},
                              {"generated", ToJson(generated)},   {"rate", found.rate()},
                              {"floor", found.floor()},           {"originals", found.originals},
                              {"probability", found.probability}, {"learnt_by_heart", found.learnt_by_heart}};
  std::puts(all.dump().c_str());
  return 0;
}
