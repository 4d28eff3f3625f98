#include "preprocess/decode/opencv_here.h"

#include <dlfcn.h>

#include <string>

#include "preprocess/image/rejected.h"

namespace gan::preprocess {

namespace {

using DecodeFunction = decltype(&GanOpenCvDecode);

struct Plugin {
  DecodeFunction decode = nullptr;
  std::string why;  // it is not there
};

const Plugin& ThePlugin() {
  static const Plugin kPlugin = [] {
    Plugin loaded;
    void* library = ::dlopen("libgan_opencv.so", RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) loaded.decode = reinterpret_cast<DecodeFunction>(::dlsym(library, "GanOpenCvDecode"));
    if (loaded.decode == nullptr) loaded.why = ::dlerror();
    return loaded;
  }();
  return kPlugin;
}

struct Room {
  std::uint64_t max_pixels;
  OpenCvReply& reply;
};

std::uint8_t* Allocate(void* context, std::uint32_t width, std::uint32_t height) {
  const Room& room = *static_cast<Room*>(context);
  if (width == 0 || height == 0 || width > room.max_pixels / height) return nullptr;
  room.reply.width = width;
  room.reply.height = height;
  room.reply.rgba.resize(std::size_t{4} * width * height);
  return room.reply.rgba.data();
}

}  // namespace

OpenCvReply DecodeWithOpenCvHere(std::span<const std::byte> file, std::uint64_t max_pixels) {
  if (ThePlugin().decode == nullptr) throw Rejected(Reason::kUnsupported, "OpenCV plugin: " + ThePlugin().why);
  OpenCvReply reply;
  Room room{max_pixels, reply};
  reply.result = ThePlugin().decode(reinterpret_cast<const std::uint8_t*>(file.data()), file.size(), Allocate, &room);
  return reply;
}

}  // namespace gan::preprocess
