// The plugin that links ISA-L, which inflates in two thirds of zlib's time.
#include "preprocess/inputs/gzip_plugin.h"

#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include <cstdint>
#include <memory>
#include <new>

namespace gan::preprocess {

namespace {

class ZlibInflater : public Inflater {
 public:
  ZlibInflater() {
    // 16 tells zlib to expect gzip's header and to check its checksum.
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (::inflateInit2(&state_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibInflater() override { ::inflateEnd(&state_); }

  Result Inflate(std::span<const std::byte>& in, std::span<std::byte>& out) override {
    // zlib does not write to its input.
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    state_.avail_in = static_cast<uInt>(in.size());
    state_.next_out = reinterpret_cast<Bytef*>(out.data());
    state_.avail_out = static_cast<uInt>(out.size());
    const int result = ::inflate(&state_, Z_NO_FLUSH);
    in = in.last(state_.avail_in);
    out = out.last(state_.avail_out);
    if (result == Z_STREAM_END) return Result::kEnd;
    // Z_BUF_ERROR means that more input or room is needed, which is not damage.
    return result == Z_OK || result == Z_BUF_ERROR ? Result::kMore : Result::kDamaged;
  }

 private:
  z_stream state_{};
};

class IsalInflater : public Inflater {
 public:
  IsalInflater() { ::isal_inflate_init(&state_); }

  Result Inflate(std::span<const std::byte>& in, std::span<std::byte>& out) override {
    if (in_zlib_ != nullptr) return InflateByZlib(in, out);
    if (state_.block_state == ISAL_BLOCK_FINISH) ::isal_inflate_reset(&state_);
    state_.crc_flag = ISAL_GZIP;
    // ISA-L does not write to its input.
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(in.data()));
    state_.avail_in = static_cast<std::uint32_t>(in.size());
    state_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state_.avail_out = static_cast<std::uint32_t>(out.size());
    const int result = ::isal_inflate(&state_);
    // Between two calls ISA-L forgets which parts a header has (findings/isal_forgets_gzip_headers.sh), so zlib reads a
    // member whose header extends into the next block of the file.
    if (state_.wrapper_flag == 0) {  // the header has not ended
      in_zlib_ = std::make_unique<ZlibInflater>();
      ::isal_inflate_reset(&state_);
      return InflateByZlib(in, out);
    }
    out = out.last(state_.avail_out);
    // After damage, avail_in has no meaning.
    if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT && result != ISAL_OUT_OVERFLOW) return Result::kDamaged;
    in = in.last(state_.avail_in);
    return state_.block_state == ISAL_BLOCK_FINISH ? Result::kEnd : Result::kMore;
  }

 private:
  Result InflateByZlib(std::span<const std::byte>& in, std::span<std::byte>& out) {
    const Result result = in_zlib_->Inflate(in, out);
    if (result == Result::kEnd) in_zlib_.reset();
    return result;
  }

  inflate_state state_{};
  std::unique_ptr<ZlibInflater> in_zlib_;  // of the member that zlib reads, if any
};

}  // namespace

}  // namespace gan::preprocess

extern "C" __attribute__((visibility("default"))) gan::preprocess::Inflater* GanNewInflater() {
  return new gan::preprocess::IsalInflater();
}
