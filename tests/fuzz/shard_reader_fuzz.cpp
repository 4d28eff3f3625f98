// Shards. The first byte says whether checksums are made to fit, so that the fuzzer reaches the code behind them.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "shard/little_endian.h"
#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "storage/checksum.h"
#include "tests/fuzz/fuzz.h"

namespace {

constexpr std::size_t kFooterOffsetAt = 32, kFooterCrcAt = 48, kHeaderCrcAt = 52;

void Seal(std::vector<std::byte>& shard) {
  if (shard.size() < gan::shard::kHeaderBytes) return;
  const auto footer = gan::shard::Load<std::uint64_t>(&shard[kFooterOffsetAt]);
  const auto all = std::span<const std::byte>(shard);
  if (footer <= shard.size()) gan::shard::Store(&shard[kFooterCrcAt], gan::storage::Crc32c(all.subspan(footer)));
  gan::shard::Store(&shard[kHeaderCrcAt], gan::storage::Crc32c(all.first(kHeaderCrcAt)));
}

void ReadAll(const std::string& file) {
  const gan::shard::ShardReader reader(file);
  for (std::size_t i = 0; i < reader.size(); ++i) {
    static_cast<void>(reader.Info(i));
    gan::fuzz::ReadOrRefuse([&] { reader.VerifyRecord(i); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> shard(bytes + 1, bytes + size);
  if ((data[0] & 1) != 0) Seal(shard);
  const int file = ::memfd_create("shard", MFD_CLOEXEC);
  if (file < 0 || ::write(file, shard.data(), shard.size()) != static_cast<ssize_t>(shard.size())) std::abort();
  gan::fuzz::ReadOrRefuse([&] { ReadAll("/proc/self/fd/" + std::to_string(file)); });
  ::close(file);
  return 0;
}
