// Saving beside the training: one save in flight, on a thread of its own.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include "checkpoint/checkpoint.h"

namespace gan::checkpoint {

// What became of a save: exactly one of the two. The same kind on every rank, since Save fails on all or none.
struct Outcome {
  std::optional<SaveResult> saved;
  std::exception_ptr error;
};

// Owns a thread. Start and Wait are called by one thread, in the same order on every rank. What `work` uses must live
// until Wait has returned its outcome, or, when the stack unwinds first, be owned by `work` itself.
class BackgroundSaver {
 public:
  // `has_peers`: the work waits for other ranks.
  explicit BackgroundSaver(bool has_peers);
  // Waits for the work, unless an exception unwinds and there are peers: they may never come, and the work is left
  // behind for the end of the process.
  ~BackgroundSaver();
  BackgroundSaver(const BackgroundSaver&) = delete;
  BackgroundSaver& operator=(const BackgroundSaver&) = delete;

  // Nothing may be in flight.
  void Start(std::function<SaveResult()> work);
  bool busy() const;
  // The outcome if a save has ended since the last call, without waiting.
  std::optional<Outcome> Poll();
  // Waits for the save in flight; nothing when there was none.
  std::optional<Outcome> Wait();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // also owned by the thread
  bool has_peers_;
  int exceptions_at_start_;
};

}  // namespace gan::checkpoint
