#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "storage/errors.h"
#include "storage/files.h"
#include "storage/warnings.h"

namespace gan::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMostHolderBytes = 4096;
constexpr int kMostTakeovers = 10;

bool HasNoLocks(int error) { return error == ENOSYS || error == ENOLCK || error == EOPNOTSUPP || error == EINVAL; }

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// When a process started, in clock ticks since boot: tells it from a later one with the same number. Empty when there
// is no such process. Field 22 of proc(5)'s stat; the second field is a name in brackets that may hold anything.
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

// Another host's processes cannot be seen from here.
bool IsGone(const Holder& holder) {
  return holder.host == HostName() && (holder.process <= 0 || StartOf(holder.process) != holder.start);
}

// False when the file is there already.
bool WriteHolder(const fs::path& file) {
  // Whole under another name first: nobody reads half of it, and link(2) fails when the name is taken.
  const fs::path draft = file.string() + ".tmp-" + std::to_string(::getpid());
  const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor < 0) throw IoError(draft, "open", errno);
  const std::string text = ThisProcess().Text();
  const bool written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int write_error = errno;
  ::close(descriptor);
  int error = written ? 0 : write_error;
  if (written && ::link(draft.c_str(), file.c_str()) != 0) error = errno;
  ::unlink(draft.c_str());
  if (error != 0 && error != EEXIST) throw IoError(file, "link", error);
  return error == 0;
}

// Two processes may find the same file of a process that is gone: whoever moves it away owns it, and looks again
// whether it moved the right one.
void MoveAway(const fs::path& file) {
  const fs::path aside = file.string() + ".tmp-" + std::to_string(::getpid()) + "-gone";
  if (::rename(file.c_str(), aside.c_str()) != 0) return;  // another one was faster
  if (!IsGone(ReadHolder(aside))) {
    [[maybe_unused]] const int back = ::link(aside.c_str(), file.c_str());
  }
  ::unlink(aside.c_str());
}

void TakeHolderFile(const fs::path& folder, const fs::path& file) {
  for (int tries = 0; tries < kMostTakeovers; ++tries) {
    if (WriteHolder(file)) return;
    Holder holder;
    try {
      holder = ReadHolder(file);
    } catch (const IoError& error) {
      if (error.error_number() == ENOENT) continue;  // given back meanwhile
      throw;
    }
    if (!IsGone(holder)) {
      throw UsageError(folder.string() + " is in use by process " + std::to_string(holder.process) + " on " +
                       holder.host + "; if that one is gone, remove " + file.string());
    }
    MoveAway(file);
  }
  throw UsageError(folder.string() + " is in use by another process");
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder, const std::string& name) {
  const fs::path path = folder / name;
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw IoError(path, "open", errno);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(descriptor_);
  descriptor_ = -1;
  if (error == EWOULDBLOCK) throw UsageError(folder.string() + " is in use by another process");
  if (!HasNoLocks(error)) throw IoError(path, "lock", error);
  const fs::path file = path.string() + ".held";
  WarnOnce("locks", folder.string() + ": this file system has no locks (flock: " +
                        std::generic_category().message(error) + "); the file " + file.filename().string() +
                        " stands in for one, and stays behind when the machine of its process goes down");
  TakeHolderFile(folder, file);
  held_ = file;
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (held_.empty()) return;
  try {
    if (ReadHolder(held_) == ThisProcess()) ::unlink(held_.c_str());
  } catch (const std::exception&) {  // what cannot be read now is taken over later
  }
}

}  // namespace gan::storage
