#include "storage/rank_board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>
#include <string_view>
#include <utility>

namespace gan::storage {

namespace {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

std::uint64_t MonotonicNanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

void RankSlot::Begin() {
  collective.entered = 0;
  collective.inside = 0;
  collective.name[0] = '\0';
  Beat();
  process = ::getpid();
}

void RankSlot::Beat() { beat_nanoseconds = MonotonicNanoseconds(); }

void RankSlot::SetSection(const char* name) {
  const std::string_view text(name);
  const std::size_t length = text.copy(section.data(), section.size() - 1);
  section[length] = '\0';
}

RankBoard RankBoard::Create(std::size_t ranks) {
  RankBoard board;
  std::string form = "/dev/shm/gan-launch-XXXXXX";
  const int descriptor = ::mkostemp(form.data(), O_CLOEXEC);  // mode 0600, a new file
  if (descriptor < 0) return board;
  board.created_ = form;
  // Allocated now: a full /dev/shm would otherwise raise SIGBUS in a rank.
  if (::posix_fallocate(descriptor, 0, static_cast<off_t>(ranks * sizeof(RankSlot))) == 0) board.Map(descriptor, ranks);
  ::close(descriptor);
  if (board.size_ > 0) ::setenv(kBoardVariable, form.c_str(), /*overwrite=*/1);
  board.Clear();
  return board;
}

// The file must be a regular one of this user and of the right size.
RankBoard RankBoard::OfLauncher() {
  RankBoard board;
  const char* path = std::getenv(kBoardVariable);
  const int descriptor = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return board;
  struct stat found {};
  const bool is_ours = ::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == ::geteuid() &&
                       found.st_size > 0 && static_cast<std::size_t>(found.st_size) % sizeof(RankSlot) == 0;
  if (is_ours) board.Map(descriptor, static_cast<std::size_t>(found.st_size) / sizeof(RankSlot));
  ::close(descriptor);
  return board;
}

void RankBoard::Map(int descriptor, std::size_t ranks) {
  void* memory = ::mmap(nullptr, ranks * sizeof(RankSlot), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) return;
  slots_ = static_cast<RankSlot*>(memory);
  size_ = ranks;
}

RankBoard::RankBoard(RankBoard&& other) noexcept
    : slots_(std::exchange(other.slots_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      created_(std::exchange(other.created_, {})) {}

RankBoard::~RankBoard() {
  if (slots_ != nullptr) ::munmap(slots_, size_ * sizeof(RankSlot));
  if (!created_.empty()) ::unlink(created_.c_str());
}

RankSlot& RankBoard::Slot(std::size_t rank) { return rank < size_ ? slots_[rank] : unread_; }

void RankBoard::Clear() {
  for (std::size_t rank = 0; rank < size_; ++rank) new (&slots_[rank]) RankSlot();
}

}  // namespace gan::storage
