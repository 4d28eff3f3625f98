#include "preprocess/inputs/gzip_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "plugin/plugin.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;
constexpr std::size_t kAhead = 4;  // blocks

GanNewInflater* LoadInflater() {
  Plugin plugin("libgan_gzip.so");
  auto* const make = plugin.Find<GanNewInflater>("GanNewInflater");
  if (make == nullptr) throw std::runtime_error("reading .gz needs libgan_gzip.so: " + plugin.why());
  return make;
}

std::unique_ptr<Inflater> NewInflater() {
  static GanNewInflater* const kMake = LoadInflater();
  return std::unique_ptr<Inflater>(kMake());
}

int OpenToRead(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw IoError(file, "open", errno);
  return descriptor;
}

}  // namespace

// The third byte is the method of compression, of which there is only one.
bool IsGzip(std::string_view head) { return head.starts_with("\x1F\x8B\x08"); }

GzipStream::GzipStream(const std::filesystem::path& file)
    : inflater_(NewInflater()), descriptor_(OpenToRead(file)), packed_(kBlockBytes), thread_([this] { Run(); }) {}

GzipStream::~GzipStream() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  ::close(descriptor_);
}

const GzipStream::Block& GzipStream::Next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty(); });
  // The last block stays in the queue, so that every later call returns it again.
  if (ready_.front().bytes.empty()) return current_ = ready_.front();
  // The thread reuses the memory, which saves an allocation for each 256 KiB.
  spare_ = std::move(current_.bytes);
  current_ = std::move(ready_.front());
  ready_.pop_front();
  lock.unlock();
  changed_.notify_all();
  return current_;
}

void GzipStream::Run() {
  for (bool is_last = false; !is_last;) {
    Block block;
    try {
      block = Unpack();
    } catch (const std::exception& error) {
      // An exception is not damage of the file, so it gets the number of an error that may pass.
      block = {{}, error.what(), ENOMEM};
    }
    is_last = block.bytes.empty();
    const std::string error = block.error;
    const int number = block.error_number;
    if (!Put(std::move(block))) return;
    if (is_last || error.empty()) continue;
    Put({{}, error, number});  // the data before the damage comes first
    is_last = true;
  }
}

// False when the reader has stopped.
bool GzipStream::Put(Block block) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ready_.size() < kAhead || stopping_; });
  if (stopping_) return false;
  ready_.push_back(std::move(block));
  lock.unlock();
  changed_.notify_all();
  return true;
}

// False at the end of the file and after a read error.
bool GzipStream::HasInput(Block& block) {
  if (!in_.empty()) return true;
  ssize_t n = -1;
  do n = ::read(descriptor_, packed_.data(), packed_.size());
  while (n < 0 && errno == EINTR);
  if (n < 0) {
    block.error_number = errno;
    block.error = std::strerror(errno);
    return false;
  }
  in_ = std::span(packed_).first(static_cast<std::size_t>(n));
  return n > 0;
}

// Without input, writes the data that the inflater still holds.
void GzipStream::UnpackSome(bool has_input, std::span<std::byte>& out, Block& block) {
  const std::size_t room = out.size();
  const Inflater::Result result = inflater_->Inflate(in_, out);
  if (result == Inflater::Result::kDamaged) block.error = "gzip decompression failed";
  begun_ = result == Inflater::Result::kMore;
  if (begun_ && !has_input && out.size() == room) block.error = "truncated gzip input";
}

GzipStream::Block GzipStream::Unpack() {
  Block block;
  {
    const std::lock_guard lock(mutex_);
    block.bytes = std::move(spare_);
  }
  block.bytes.resize(kBlockBytes);
  std::span<std::byte> out = block.bytes;
  while (!out.empty() && block.error.empty()) {
    const bool has_input = HasInput(block);
    // As in gzip: data behind the last member that does not begin like a member is padding.
    if (!begun_ && (!has_input || in_.front() != std::byte{0x1F})) break;
    if (block.error.empty()) UnpackSome(has_input, out, block);
  }
  block.bytes.resize(block.bytes.size() - out.size());
  return block;
}

}  // namespace gan::preprocess
