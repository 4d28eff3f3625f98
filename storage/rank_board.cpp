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

// Ranks write plain bytes into shared memory because a killed process cannot run any code to report it. The launcher
// reads them after it has died.
constexpr std::size_t kBytesPerRank = 2 * sizeof(RankSlot);  // its slot, and the slot of the snapshot

// Other atomics take a lock from a table of their own process, which orders nothing between processes.
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

std::uint64_t MonotonicNanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

template <std::size_t size>
void Write(std::string_view text, std::array<char, size>& place) {
  const std::size_t length = text.copy(place.data(), size - 1);
  place[length] = '\0';
}

}  // namespace

// The process number is set last, so a reader that finds it does not find the collective of an earlier process.
void RankSlot::Begin() {
  collective.entered = 0;
  collective.inside = 0;
  collective.name[0] = '\0';
  Beat();
  process = ::getpid();
}

void RankSlot::Beat() { beat_nanoseconds = MonotonicNanoseconds(); }

void RankSlot::SetSection(const char* name) { Write(name, section); }

void RankSlot::SetHost(const std::string& name) { Write(name, host); }

// The process number is set last: a reader that finds it finds the rest.
void RankSlot::CopyTo(RankSlot& copy) const {
  copy.beat_nanoseconds = beat_nanoseconds.load();
  copy.section = section;
  copy.collective.entered = collective.entered.load();
  copy.collective.inside = collective.inside.load();
  copy.collective.name = collective.name;
  copy.process = process.load();
}

RankBoard RankBoard::Create(std::size_t ranks) {
  RankBoard board;
  std::string form = "/dev/shm/gan-launch-XXXXXX";
  const int descriptor = ::mkostemp(form.data(), O_CLOEXEC);  // mode 0600, a new file
  if (descriptor < 0) return board;
  board.created_ = form;
  // Allocated now: a full /dev/shm would otherwise raise SIGBUS in a rank.
  // On failure no variable is set, so the ranks find no board and write into memory of their own.
  if (::posix_fallocate(descriptor, 0, static_cast<off_t>(ranks * kBytesPerRank)) == 0) board.Map(descriptor, ranks);
  ::close(descriptor);
  if (board.size_ > 0) ::setenv(kBoardVariable, form.c_str(), /*overwrite=*/1);
  board.Clear();
  return board;
}

// The file must be a regular one of this user and of the right size.
// The path comes from the environment, which anybody who starts the program controls.
RankBoard RankBoard::OfLauncher() {
  RankBoard board;
  const char* path = std::getenv(kBoardVariable);
  const int descriptor = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return board;
  struct stat found {};
  const bool is_ours = ::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == ::geteuid() &&
                       found.st_size > 0 && static_cast<std::size_t>(found.st_size) % kBytesPerRank == 0;
  if (is_ours) board.Map(descriptor, static_cast<std::size_t>(found.st_size) / kBytesPerRank);
  ::close(descriptor);
  return board;
}

void RankBoard::Map(int descriptor, std::size_t ranks) {
  void* memory = ::mmap(nullptr, ranks * kBytesPerRank, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) return;
  slots_ = static_cast<RankSlot*>(memory);
  size_ = ranks;
}

RankBoard::RankBoard(RankBoard&& other) noexcept
    : slots_(std::exchange(other.slots_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      created_(std::exchange(other.created_, {})) {}

RankBoard::~RankBoard() {
  if (slots_ != nullptr) ::munmap(slots_, size_ * kBytesPerRank);
  if (!created_.empty()) ::unlink(created_.c_str());
}

RankSlot& RankBoard::Slot(std::size_t rank) { return rank < size_ ? slots_[rank] : unread_; }

void RankBoard::TakeSnapshot() {
  for (std::size_t rank = 0; rank < size_; ++rank) {
    // The first rank that gives up waiting takes the snapshot. A later copy could show consequences of that.
    if (slots_[rank].snapshot_begun.exchange(1) == 0) slots_[rank].CopyTo(slots_[size_ + rank]);
  }
}

const RankSlot& RankBoard::Seen(std::size_t rank) {
  if (rank >= size_) return unread_;
  const RankSlot& snapshot = slots_[size_ + rank];
  return snapshot.process == 0 ? slots_[rank] : snapshot;
}

void RankBoard::Clear() {
  // Constructed in place: the memory of a new file is zero bytes and not yet objects.
  for (std::size_t slot = 0; slot < 2 * size_; ++slot) new (&slots_[slot]) RankSlot();
}

}  // namespace gan::storage
