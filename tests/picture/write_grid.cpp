#include <numeric>
#include <string>
#include <vector>

#include "picture/grid.h"
#include "picture/png.h"

// write_grid FILE COUNT COLUMNS: COUNT pictures of 4 x 4 pixels, byte k of picture i being (48 i + k) mod 256.
int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto count = static_cast<std::uint32_t>(std::stoul(argv[2]));
  std::vector<std::uint8_t> images(std::size_t{48} * count);
  std::iota(images.begin(), images.end(), std::uint8_t{0});
  const gan::picture::GridImage grid =
      gan::picture::Grid(images, count, 4, static_cast<std::uint32_t>(std::stoul(argv[3])));
  gan::picture::WritePng(argv[1], grid.pixels, grid.width, grid.height);
  return 0;
}
