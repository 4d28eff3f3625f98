// A TIFF in memory as a source for libtiff.
#pragma once

#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "preprocess/decode/decoder_plugin.h"

namespace gan::preprocess {

inline constexpr std::size_t kMostAllocation = std::size_t{1} << 31;

// The reason why there is no picture. It is thrown within the plugin.
struct Failure {
  int result;
  std::string why;
};
[[noreturn]] inline void Unsupported(const std::string& what) { throw Failure{kGanUnsupported, "TIFF: " + what}; }

// The file in memory, and the complaints of libtiff.
struct Source {
  const std::uint8_t* file = nullptr;
  std::size_t bytes = 0;
  std::size_t at = 0;
  bool ended_early = false;
  std::string complaint;  // the first
};

// The functions that libtiff calls.
namespace tiff {

inline Source& SourceOf(thandle_t handle) { return *static_cast<Source*>(handle); }

inline tmsize_t Read(thandle_t handle, void* out, tmsize_t count) {
  Source& source = SourceOf(handle);
  const std::size_t rest = source.bytes - std::min(source.at, source.bytes);
  const std::size_t n = std::min(static_cast<std::size_t>(count), rest);
  if (n < static_cast<std::size_t>(count)) source.ended_early = true;
  std::memcpy(out, source.file + std::min(source.at, source.bytes), n);
  source.at += n;
  return static_cast<tmsize_t>(n);
}
inline tmsize_t Write(thandle_t, void*, tmsize_t) { return -1; }
inline toff_t Seek(thandle_t handle, toff_t offset, int whence) {
  Source& source = SourceOf(handle);
  source.at = static_cast<std::size_t>(offset) + (whence == SEEK_CUR   ? source.at
                                                  : whence == SEEK_END ? source.bytes
                                                                       : 0);
  return source.at;
}
inline int Close(thandle_t) { return 0; }
inline toff_t Size(thandle_t handle) { return SourceOf(handle).bytes; }
inline int Map(thandle_t, void**, toff_t*) { return 0; }
inline void Unmap(thandle_t, void*, toff_t) {}

inline int Complain(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto& source = *static_cast<Source*>(user);
  char text[200];
  std::vsnprintf(text, sizeof text, format, arguments);
  if (source.complaint.empty()) source.complaint = text;
  return 1;
}
inline int Ignore(TIFF*, void*, const char*, const char*, va_list) { return 1; }

}  // namespace tiff

[[noreturn]] inline void Damaged(const Source& source) {
  const bool cut = source.ended_early || source.complaint.find("Read error") != std::string::npos;
  throw Failure{cut ? kGanTruncated : kGanCorrupt,
                "TIFF: " + (source.complaint.empty() ? "damaged" : source.complaint)};
}

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Tiff = std::unique_ptr<TIFF, CloseTiff>;

// Throws Failure when the file is not a TIFF.
inline Tiff Open(Source& source) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 TIFFOpenOptionsFree);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMostAllocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), tiff::Complain, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), tiff::Ignore, nullptr);
  Tiff file(TIFFClientOpenExt("TIFF", "rm", &source, tiff::Read, tiff::Write, tiff::Seek, tiff::Close, tiff::Size,
                              tiff::Map, tiff::Unmap, options.get()));
  if (file == nullptr) Damaged(source);
  source.complaint.clear();  // odd metadata never rejects a picture
  source.ended_early = false;
  return file;
}

}  // namespace gan::preprocess
