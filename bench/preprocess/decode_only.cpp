// The limit of any exact preprocessor: reads the JPEGs of a folder and decodes them to RGB with libjpeg-turbo on N
// threads, nothing else. Usage: decode_only FOLDER THREADS   -> "COUNT pictures SECONDS s"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include <jpeglib.h>

namespace {

namespace fs = std::filesystem;

struct ErrorManager {
  jpeg_error_mgr base;
  std::jmp_buf back;
};

struct Buffers {
  std::vector<unsigned char> file, pixels;
  std::vector<JSAMPROW> rows;
};

bool Read(const fs::path& path, std::vector<unsigned char>& bytes) {
  std::FILE* in = std::fopen(path.c_str(), "rb");
  if (in == nullptr) return false;
  bytes.resize(fs::file_size(path));
  const std::size_t read = std::fread(bytes.data(), 1, bytes.size(), in);
  std::fclose(in);
  return read == bytes.size();
}

// As in TurboJPEG's tjDecompress2: all rows are requested at once. False when libjpeg-turbo cannot read the JPEG.
bool Decode(jpeg_decompress_struct& info, ErrorManager& manager, Buffers& buffers) {
  if (setjmp(manager.back) != 0) {
    jpeg_abort_decompress(&info);
    return false;
  }
  jpeg_mem_src(&info, buffers.file.data(), buffers.file.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  const std::size_t stride = std::size_t{3} * info.output_width;
  buffers.pixels.resize(stride * info.output_height);
  buffers.rows.resize(info.output_height);
  for (std::size_t y = 0; y < info.output_height; ++y) buffers.rows[y] = &buffers.pixels[y * stride];
  while (info.output_scanline < info.output_height) {
    jpeg_read_scanlines(&info, &buffers.rows[info.output_scanline], info.output_height - info.output_scanline);
  }
  jpeg_finish_decompress(&info);
  return true;
}

std::size_t DecodeFrom(std::atomic<std::size_t>& next, const std::vector<fs::path>& paths) {
  jpeg_decompress_struct info = {};
  ErrorManager manager = {};
  info.err = jpeg_std_error(&manager.base);
  manager.base.error_exit = [](j_common_ptr i) { std::longjmp(reinterpret_cast<ErrorManager*>(i->err)->back, 1); };
  jpeg_create_decompress(&info);
  Buffers buffers;
  std::size_t decoded = 0;
  for (std::size_t i = next++; i < paths.size(); i = next++) {
    if (Read(paths[i], buffers.file) && Decode(info, manager, buffers)) ++decoded;
  }
  jpeg_destroy_decompress(&info);
  return decoded;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(argv[1])) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  const auto start = std::chrono::steady_clock::now();
  std::atomic<std::size_t> next{0}, decoded{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < std::atoi(argv[2]); ++t) {
    threads.emplace_back([&] { decoded += DecodeFrom(next, paths); });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%zu pictures %.4f s\n", decoded.load(), seconds);
  return 0;
}
