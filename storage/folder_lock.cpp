#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "storage/errors.h"
#include "storage/files.h"
#include "storage/host_name.h"
#include "storage/warnings.h"

namespace gan::storage {

namespace fs = std::filesystem;

namespace {

// A holder file is one short line; a larger file is not ours.
constexpr std::uint64_t kMostHolderBytes = 4096;
// Limits the number of attempts in case other processes keep taking and leaving the lock.
constexpr int kMostTakeovers = 10;

// Errors of flock on file systems without locks, as opposed to a lock that is held.
// Lustre mounted without the option flock gives ENOSYS, NFS without a lock server ENOLCK.
bool HasNoLocks(int error) { return error == ENOSYS || error == ENOLCK || error == EOPNOTSUPP || error == EINVAL; }

// The start time of a process in clock ticks since boot, which distinguishes it from a later process with the same
// number. Empty when the process does not exist. It is field 22 of /proc/PID/stat (proc(5)); field 2 is a name in
// parentheses that may contain any characters.
std::string StartOf(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t bracket = text.rfind(')');
  if (bracket == std::string::npos) return "";
  std::istringstream fields(text.substr(bracket + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return field;
}

// Without flock the lock is a file that names its process. Nothing removes it when that process is killed, so the next
// one must find out whether the holder still lives, and take the file over without a moment in which two processes hold
// it: link(2) and rename(2) are the atomic steps for that, also over a network.

// The process that holds the lock, as written in the holder file.
struct Holder {
  std::string host;
  pid_t process = 0;
  std::string start;

  std::string Text() const { return host + " " + std::to_string(process) + " " + start + "\n"; }
  bool operator==(const Holder& other) const = default;
};

Holder ThisProcess() { return {HostName(), ::getpid(), StartOf(::getpid())}; }

Holder ReadHolder(const fs::path& file) {
  std::istringstream text(ReadFile(file, kMostHolderBytes));
  Holder holder;
  text >> holder.host >> holder.process >> holder.start;
  return holder;
}

// Whether the holding process has certainly ended. Processes of another host cannot be observed, so they count as
// alive.
bool IsGone(const Holder& holder) {
  return holder.host == HostName() && (holder.process <= 0 || StartOf(holder.process) != holder.start);
}

// Creates the holder file for this process. Returns false when the file already exists.
bool WriteHolder(const fs::path& file) {
  // Writes a complete file under another name first, so that no other process reads an incomplete one. link(2) then
  // fails when the lock is taken.
  const fs::path draft = file.string() + ".tmp-" + std::to_string(::getpid());
  const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor < 0) throw IoError(draft, "open", errno);
  const std::string text = ThisProcess().Text();
  const ssize_t n = ::write(descriptor, text.data(), text.size());
  // A full disk may take a part of the line, which sets no errno.
  int error = n < 0 ? errno : n < std::ssize(text) ? ENOSPC : 0;
  ::close(descriptor);
  if (error == 0 && ::link(draft.c_str(), file.c_str()) != 0) error = errno;
  ::unlink(draft.c_str());
  if (error != 0 && error != EEXIST) throw IoError(file, "link", error);
  return error == 0;
}

// Removes the holder file of a process that has ended. Two processes may try this at once: the one whose rename
// succeeds owns the file, and checks again that it did not rename a newer holder's file. Removing the file directly
// would be wrong: between reading it and unlink(2), another process may have removed it and taken the lock, and its new
// file would be removed.
void MoveAway(const fs::path& file) {
  const fs::path aside = file.string() + ".tmp-" + std::to_string(::getpid()) + "-gone";
  if (::rename(file.c_str(), aside.c_str()) != 0) return;  // another process was faster
  if (!IsGone(ReadHolder(aside))) {
    // It was a newer holder's file: put it back.
    [[maybe_unused]] const int back = ::link(aside.c_str(), file.c_str());
  }
  ::unlink(aside.c_str());
}

// Takes the lock by a holder file, replacing the file of a process that has ended.
void TakeHolderFile(const fs::path& folder, const fs::path& file) {
  for (int tries = 0; tries < kMostTakeovers; ++tries) {
    if (WriteHolder(file)) return;
    Holder holder;
    try {
      holder = ReadHolder(file);
    } catch (const IoError& error) {
      if (error.error_number() == ENOENT) continue;  // released meanwhile
      throw;
    }
    if (!IsGone(holder)) {
      throw UsageError(folder.string() + " is in use by process " + std::to_string(holder.process) + " on " +
                       holder.host + "; if that process has ended, remove " + file.string());
    }
    MoveAway(file);
  }
  throw UsageError(folder.string() + " is in use by another process");
}

}  // namespace

// The file stays when the lock is released: removing it would let two processes lock different files of one name.
FolderLock::FolderLock(const fs::path& folder, const std::string& name) {
  const fs::path path = folder / name;
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw IoError(path, "open", errno);
  // flock instead of fcntl: a lock of fcntl is lost as soon as any descriptor of the file is closed in this process.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(descriptor_);
  descriptor_ = -1;
  if (error == EWOULDBLOCK) throw UsageError(folder.string() + " is in use by another process");
  if (!HasNoLocks(error)) throw IoError(path, "lock", error);
  const fs::path file = path.string() + ".held";
  WarnOnce("locks", folder.string() + ": this file system has no locks (flock: " +
                        std::generic_category().message(error) + "); the file " + file.filename().string() +
                        " replaces the lock, and remains when the machine of its process crashes");
  TakeHolderFile(folder, file);
  held_ = file;
}

FolderLock::~FolderLock() {
  // Closing the descriptor releases the lock.
  if (descriptor_ >= 0) ::close(descriptor_);
  if (held_.empty()) return;
  try {
    // Removes only our own file: another process may have taken over a lock that it considered abandoned.
    if (ReadHolder(held_) == ThisProcess()) ::unlink(held_.c_str());
  } catch (const std::exception&) {  // a later process takes the file over
  }
}

}  // namespace gan::storage
