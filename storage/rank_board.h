// A file in memory in which each rank of a job on this host notes what it is doing. It outlives the ranks, so that
// gan-launch can find out what a rank was doing when it died.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace gan::storage {

// The collective operation that a process is in.
struct CollectiveNote {
  std::atomic<std::uint64_t> entered{0};  // number of collectives so far
  std::atomic<std::uint32_t> inside{0};   // 1 while one is in progress
  std::array<char, 92> name{};            // of the newest one, "gradients, all-reduce"; ends with a zero
};

// The notes of one rank. Plain memory without pointers. One process writes the texts. Another one reads them after the
// writer has died, or copies them for a snapshot, in which a text may be partly overwritten. So they need no lock.
struct RankSlot {
  std::atomic<std::int32_t> process{0};            // 0: the rank has not started on this host
  std::atomic<std::uint64_t> beat_nanoseconds{0};  // of the monotonic clock of the host: the last sign of life
  std::array<char, 16> section{};                  // "start", "step", "save", "evaluate"
  std::atomic<std::uint32_t> snapshot_begun{0};    // 1: a rank has begun to copy this slot
  CollectiveNote collective;
  std::array<char, 64> host{};  // written by a rank of this host for all ranks of the job, also those elsewhere

  void Begin();  // notes that this process is the rank now
  void Beat();
  void SetSection(const char* name);
  void SetHost(const std::string& name);
  void CopyTo(RankSlot& copy) const;  // all but the host
};

// Owns the mapping. The launcher creates the file; ranks on the same host find it through kBoardVariable. Elsewhere,
// and without gan-launch, a rank writes its notes to memory that is never read.
class RankBoard {
 public:
  static constexpr const char* kBoardVariable = "GAN_LAUNCH_BOARD";

  // Creates a file for `ranks` ranks in memory (/dev/shm), readable by this user alone, and sets kBoardVariable. When
  // that is impossible, the board is empty.
  static RankBoard Create(std::size_t ranks);
  // The board of the launcher that started this process.
  static RankBoard OfLauncher();
  RankBoard(RankBoard&& other) noexcept;
  RankBoard& operator=(RankBoard&& other) = delete;
  RankBoard(const RankBoard&) = delete;
  RankBoard& operator=(const RankBoard&) = delete;
  ~RankBoard();  // the creator removes the file

  std::size_t size() const { return size_; }  // number of ranks; 0: no board
  RankSlot& Slot(std::size_t rank);           // when there is no such slot: memory that nobody reads
  // Takes a snapshot of all slots, unless a rank has already taken one. A rank calls it before it gives up waiting.
  // Afterwards the launcher wakes the rank that it waited for, if that was stopped, and the board no longer shows which
  // rank it was.
  void TakeSnapshot();
  // The notes in the snapshot if there is one, otherwise the current notes.
  const RankSlot& Seen(std::size_t rank);
  void Clear();  // before another attempt

 private:
  RankBoard() = default;
  void Map(int descriptor, std::size_t ranks);

  RankSlot* slots_ = nullptr;  // as many again follow: the snapshot
  std::size_t size_ = 0;
  std::filesystem::path created_;
  RankSlot unread_;
};

}  // namespace gan::storage
