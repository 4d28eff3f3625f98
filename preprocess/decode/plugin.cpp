#include "preprocess/decode/plugin.h"

#include <exception>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "plugin/plugin.h"
#include "preprocess/decode/decoder_plugin.h"
#include "preprocess/decode/orientation.h"

namespace gan::preprocess {

namespace {

struct Decoder {
  decltype(&GanDecode) decode;
  decltype(&GanDecoderLibrary) library;
  std::string why;  // why the plugin is missing
};

Decoder Load(const char* file_name) {
  Plugin plugin(file_name);
  auto* const decode = plugin.Find<decltype(GanDecode)>("GanDecode");
  auto* const library = plugin.Find<decltype(GanDecoderLibrary)>("GanDecoderLibrary");
  return {decode, library, plugin.why()};
}

// A failure is remembered like a success, so that a missing library is looked for once and not for each picture.
const Decoder& DecoderOf(const char* file_name, const char* advice) {
  static std::mutex mutex;
  static std::map<std::string, Decoder, std::less<>> loaded;
  const std::lock_guard lock(mutex);
  auto found = loaded.find(file_name);
  if (found == loaded.end()) found = loaded.emplace(file_name, Load(file_name)).first;
  const Decoder& decoder = found->second;
  if (decoder.why.empty()) return decoder;
  throw Rejected(Reason::kUnsupported, std::string(advice) + "its decoder cannot be loaded: " + decoder.why);
}

// The program's side of one call. Exceptions must not pass through the plugin, which may be C, so they are stored here.
struct Call {
  explicit Call(const DecodeOptions& decode_options) : options(decode_options) {}

  const DecodeOptions& options;
  std::uint32_t width = 0, height = 0;
  int channels = 0;
  Rgb8 rgb;
  std::vector<std::uint8_t> rgba;
  int orientation = 1;
  std::string why;
  std::exception_ptr refused;

  std::uint8_t* Allocate(std::uint32_t w, std::uint32_t h, int n, int own_bytes) {
    // The orientation may become known only after the pixels are decoded, so memory for a turned copy is always
    // counted.
    constexpr int kTurned = 3;
    const int per_pixel = own_bytes + n + (n == 4 ? 3 : 0) + kTurned;
    RequireRoom(w, h, static_cast<std::uint64_t>(per_pixel), options);
    width = w;
    height = h;
    channels = n;
    if (n == 3) rgb = Rgb8(w, h);
    if (n == 4) rgba.resize(std::size_t{4} * w * h);
    return n == 3 ? rgb.pixels.data() : rgba.data();
  }

  Rgb8 Image() { return channels == 3 ? std::move(rgb) : Composite(rgba, width, height, options.background); }
};

std::uint8_t* Allocate(void* context, std::uint32_t width, std::uint32_t height, int channels, int own_bytes) {
  Call& call = *static_cast<Call*>(context);
  try {
    return call.Allocate(width, height, channels, own_bytes);
  } catch (...) {
    call.refused = std::current_exception();
    return nullptr;
  }
}

void SetOrientation(void* context, int orientation) {
  static_cast<Call*>(context)->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
}

void Explain(void* context, const char* why) { static_cast<Call*>(context)->why = why; }

void RequireDecoded(int result, const Call& call) {
  if (call.refused) std::rethrow_exception(call.refused);
  // Without channels the plugin never asked for memory, so there is no picture, whatever it returned.
  if (result == kGanDecoded && call.channels != 0) return;
  const Reason reason = result == kGanTruncated     ? Reason::kTruncated
                        : result == kGanUnsupported ? Reason::kUnsupported
                                                    : Reason::kCorrupt;
  throw Rejected(reason, call.why.empty() ? "it cannot be decoded" : call.why);
}

}  // namespace

Rgb8 DecodeWithPlugin(const char* file_name, const char* advice, Turning turning, std::span<const std::byte> file,
                      const DecodeOptions& options) {
  const Decoder& decoder = DecoderOf(file_name, advice);
  Call call(options);
  const GanDecodeHost host = {&call, Allocate, SetOrientation, Explain};
  RequireDecoded(decoder.decode(reinterpret_cast<const std::uint8_t*>(file.data()), file.size(), &host), call);
  const bool turns = call.orientation != 1 && (turning == Turning::kAlways || options.apply_exif);
  return turns ? Turned(call.Image(), call.orientation) : call.Image();
}

std::string LibraryOfPlugin(const char* file_name) { return DecoderOf(file_name, "").library(); }

}  // namespace gan::preprocess
