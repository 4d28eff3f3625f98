#include "storage/lost_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <mutex>

#include "storage/files.h"

namespace gan::storage {

namespace {

// A lost page does not end the process: reading it raises SIGBUS in the reading thread. The handler looks for the
// mapping that contains the address, maps a page of zeros there and returns, so the read is repeated and succeeds. The
// reader then compares the counters and reports the file.

// A thread that reads an unreadable page never holds this lock, because it is reading a mapping and not changing the
// list. So the signal handler may wait for the lock without a deadlock.
std::atomic_flag list_lock;
MappedRegion* list_head = nullptr;  // guarded by list_lock
std::atomic<std::uint64_t> all_lost_pages = 0;
struct sigaction handler_before;  // written once, before the handler is installed
std::uintptr_t page_bytes = 4096;

// A spin lock, because a mutex must not be used in a signal handler.
class ListLock {
 public:
  ListLock() {
    while (list_lock.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~ListLock() { list_lock.clear(std::memory_order_release); }
  ListLock(const ListLock&) = delete;
  ListLock& operator=(const ListLock&) = delete;
};

// Maps a page of zeros over the page with `address`. Uses only calls that are allowed in a signal handler: mmap is a
// plain system call on Linux.
bool ReplaceByZeros(std::uintptr_t address) {
  const ListLock lock;
  // Faults outside of our mappings are real errors and must not be hidden.
  for (MappedRegion* region = list_head; region != nullptr; region = region->next) {
    if (address < region->begin || address >= region->end) continue;
    const std::uintptr_t page = address / page_bytes * page_bytes;
    void* zeros = ::mmap(reinterpret_cast<void*>(page), page_bytes, PROT_READ,  // NOLINT(performance-no-int-to-ptr)
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    // The fault is passed on instead: returning from the handler would repeat the same fault forever.
    if (zeros == MAP_FAILED) return false;
    region->last_lost.store(page - region->begin);
    region->lost_pages.fetch_add(1);
    all_lost_pages.fetch_add(1);
    return true;
  }
  return false;
}

// Calls the previous handler. Without one, the default action is restored and ends the process when the faulting
// instruction runs again.
void PassOn(int signal, siginfo_t* info, void* context) {
  if ((handler_before.sa_flags & SA_SIGINFO) != 0) return handler_before.sa_sigaction(signal, info, context);
  if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN) {
    return handler_before.sa_handler(signal);
  }
  ::sigaction(SIGBUS, &handler_before, nullptr);
  if (info->si_code <= 0) ::raise(signal);  // sent by a process: no instruction would run again
}

void OnBusError(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const bool is_ours = info->si_code > 0 && ReplaceByZeros(reinterpret_cast<std::uintptr_t>(info->si_addr));
  // The interrupted code may be about to read errno.
  errno = error;
  if (!is_ours) PassOn(signal, info, context);
}

void InstallHandler() {
  // Determined here and not in the handler, in which POSIX does not allow sysconf.
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  ::sigaction(SIGBUS, nullptr, &handler_before);
  struct sigaction action = {};
  action.sa_sigaction = &OnBusError;
  // The handler runs on the stack of the reader. A signal that arrives inside oneDNN needs a stack of its own
  // (trainer/run/stop_signal.cpp), but this one arrives where a mapping is read.
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace

void Watch(MappedRegion& region) {
  static std::once_flag installed;
  std::call_once(installed, &InstallHandler);
  const ListLock lock;
  region.next = list_head;
  if (list_head != nullptr) list_head->previous = &region;
  list_head = &region;
}

void Unwatch(MappedRegion& region) {
  const ListLock lock;
  (region.previous != nullptr ? region.previous->next : list_head) = region.next;
  if (region.next != nullptr) region.next->previous = region.previous;
}

std::uint64_t LostPages() { return all_lost_pages.load(); }

}  // namespace gan::storage
