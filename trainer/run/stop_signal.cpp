#include "trainer/run/stop_signal.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>

namespace gan::run {

namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "written by a signal handler");

void RequestStop(int signal) {
  // The second INT ends the process at once, for a user who does not want to wait.
  if (signal == SIGINT && stop_requested) ::_exit(128 + SIGINT);
  stop_requested = true;
}

bool hangup_was_ignored = false;

void NoteHangup(int, char**, char**) {
  struct sigaction before = {};
  sigaction(SIGHUP, nullptr, &before);
  hangup_was_ignored = before.sa_handler == SIG_IGN;
}

// Before the constructors of any library, because UCX's constructor takes over SIGHUP for its debugger, even under
// nohup (findings/ucx_takes_sighup.sh).
[[gnu::section(".preinit_array"), gnu::used]] void (*const note_hangup)(int, char**, char**) = NoteHangup;

// A signal during oneDNN's product with a transposed weight (LibTorch 2.11.0; model/product.h calls it) changes its
// result, unless the handler runs on its own stack: oneDNN seems to keep data where the kernel writes a signal's frame.
// The kernel delivers a process's signals to its first thread, which trains.
void UseOwnStack() {
  alignas(64) static std::array<std::byte, std::size_t{64} << 10> room;  // large enough for the registers of AMX
  stack_t own = {};
  own.ss_sp = room.data();
  own.ss_size = room.size();
  sigaltstack(&own, nullptr);
}

}  // namespace

void InstallStopSignals() {
  UseOwnStack();
  struct sigaction action = {};
  action.sa_handler = RequestStop;
  // SA_RESTART: system calls of libraries continue after the handler. Not all libraries handle EINTR.
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGUSR1, SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
  if (!hangup_was_ignored) sigaction(SIGHUP, &action, nullptr);
  action.sa_handler = SIG_IGN;
  if (hangup_was_ignored) sigaction(SIGHUP, &action, nullptr);
  // The reader of the log may end before the run. A write then fails with EPIPE, and the process continues.
  sigaction(SIGPIPE, &action, nullptr);
}

bool StopRequested() { return stop_requested; }

}  // namespace gan::run
