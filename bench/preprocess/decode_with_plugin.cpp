// Measures how long a library takes to decode the pictures of a folder on N threads, through our plugin and without any
// other work.
// Usage: decode_with_plugin PLUGIN.so FOLDER THREADS [LIBRARY_TO_LOAD_FIRST]   -> "COUNT pictures SECONDS s"
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "preprocess/decode/decoder_plugin.h"

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

std::uint8_t* Allocate(void* context, std::uint32_t width, std::uint32_t height, int channels, int) {
  Bytes& pixels = *static_cast<Bytes*>(context);
  pixels.resize(std::size_t{width} * height * static_cast<std::size_t>(channels));
  return pixels.data();
}

Bytes Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t DecodeFrom(decltype(&GanDecode) decode, std::atomic<std::size_t>& next,
                       const std::vector<fs::path>& paths) {
  std::size_t decoded = 0;
  Bytes pixels;
  const GanDecodeHost host = {&pixels, Allocate, [](void*, int) {}, [](void*, const char*) {}};
  for (std::size_t i = next++; i < paths.size(); i = next++) {
    const Bytes file = Read(paths[i]);
    if (decode(file.data(), file.size(), &host) == kGanDecoded) ++decoded;
  }
  return decoded;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  if (argc > 4) ::dlopen(argv[4], RTLD_NOW | RTLD_GLOBAL);
  void* plugin = ::dlopen(argv[1], RTLD_NOW);
  const auto decode =
      plugin == nullptr ? nullptr : reinterpret_cast<decltype(&GanDecode)>(::dlsym(plugin, "GanDecode"));
  if (decode == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    return 1;
  }
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(argv[2])) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  const auto start = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next{0}, decoded{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < std::atoi(argv[3]); ++t)
    threads.emplace_back([&] { decoded += DecodeFrom(decode, next, paths); });
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%zu pictures %.4f s\n", decoded.load(), seconds);
  return 0;
}
