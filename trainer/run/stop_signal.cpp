#include "trainer/run/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

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

// Before the constructors of any library, because UCX's takes SIGHUP for its debugger, also from nohup
// (findings/ucx_takes_sighup.sh).
[[gnu::section(".preinit_array"), gnu::used]] void (*const note_hangup)(int, char**, char**) = NoteHangup;

}  // namespace

void InstallStopSignals() {
  struct sigaction action = {};
  action.sa_handler = RequestStop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGUSR1, SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
  if (!hangup_was_ignored) sigaction(SIGHUP, &action, nullptr);
  action.sa_handler = SIG_IGN;
  if (hangup_was_ignored) sigaction(SIGHUP, &action, nullptr);
  sigaction(SIGPIPE, &action, nullptr);
}

bool StopRequested() { return stop_requested; }

}  // namespace gan::run
