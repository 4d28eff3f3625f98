// Saves a checkpoint on a separate thread while training continues. At most one save is in flight.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include "checkpoint/checkpoint.h"

namespace gan::checkpoint {

// The result of a save: exactly one member is set. All ranks get the same kind, because a save succeeds or fails on all
// of them.
struct Outcome {
  std::optional<SaveResult> saved;
  std::exception_ptr error;
};

// Owns a thread. One thread calls Start and Wait, in the same order on every rank. Whatever `work` uses must live until
// Wait has returned its outcome; if the stack unwinds first, `work` itself must own it.
class BackgroundSaver {
 public:
  // `has_peers`: the work exchanges messages with other ranks.
  explicit BackgroundSaver(bool has_peers);
  // Waits for the work. The exception: when an exception unwinds the stack and there are peers, the work is left
  // running until the process ends, because the peers may never answer.
  ~BackgroundSaver();
  BackgroundSaver(const BackgroundSaver&) = delete;
  BackgroundSaver& operator=(const BackgroundSaver&) = delete;

  // Starts `work`. No save may be in flight.
  void Start(std::function<SaveResult()> work);
  bool busy() const;
  // The outcome if a save has ended since the last call. Does not wait.
  std::optional<Outcome> Poll();
  // Waits for the save in flight and returns its outcome; empty when no save was in flight.
  std::optional<Outcome> Wait();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // also owned by the thread
  bool has_peers_;
  int exceptions_at_start_;
};

}  // namespace gan::checkpoint
