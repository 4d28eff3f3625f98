// For every thread that works beside training: it receives no signals and runs at a low priority.
#pragma once

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

namespace gan::monitoring {

// Threads that are created while an object of this class lives block all signals except those that their own faults
// raise. The creating thread gets its own mask back.
class SignalsLeftToOthers {
 public:
  SignalsLeftToOthers() {
    sigset_t left;
    sigfillset(&left);
    for (const int fault : {SIGBUS, SIGSEGV, SIGFPE, SIGILL}) sigdelset(&left, fault);
    pthread_sigmask(SIG_SETMASK, &left, &before_);
  }
  ~SignalsLeftToOthers() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsLeftToOthers(const SignalsLeftToOthers&) = delete;
  SignalsLeftToOthers& operator=(const SignalsLeftToOthers&) = delete;

 private:
  sigset_t before_{};
};

// Lowers the priority of the calling thread. Best effort, because some sandboxes forbid it. On Linux the priority is
// per thread, addressed by its kernel id.
inline void LowerPriority() {
  constexpr int kNiceness = 10;
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNiceness);
}

}  // namespace gan::monitoring
