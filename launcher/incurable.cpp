#include "launcher/incurable.h"

#include <mpi.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "launcher/command_output.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::launch {

namespace fs = std::filesystem;

namespace {

#ifdef OPEN_MPI
constexpr std::string_view kOwnLibrary = "Open MPI";
#else
constexpr std::string_view kOwnLibrary = "MPICH";  // this name also occurs in the versions of libraries derived from it
#endif

constexpr std::size_t kProbeBytes = std::size_t{64}
                                    << 10;  // enough for a status file, a line of statistics and a log line
// Less than what a single rank needs. A larger size may be too small as well, but that depends on how many of the ranks
// run on a host.
constexpr std::uint64_t kLeastSharedMemory = std::uint64_t{1} << 20;

}  // namespace

// Tries to write a small file. The probe is never committed, so its destructor removes it. Only permanent errors count,
// because others may pass before the next attempt.
std::string WhyDiskIsFull(const fs::path& run) {
  try {
    storage::AtomicFile probe(run / "launch.probe");
    probe.Append(std::string(kProbeBytes, ' '));
  } catch (const IoError& error) {
    const int why = error.error_number();
    if (why == ENOSPC || why == EDQUOT || why == EROFS) return std::string("nothing can be written: ") + error.what();
  }
  return "";
}

std::string WhySharedMemoryIsTooSmall(const LaunchOptions& options, std::uint64_t bytes) {
  if (options.launcher != "mpirun" || options.ranks < 2 || bytes >= kLeastSharedMemory) return "";
  return "/dev/shm has " + std::to_string(bytes >> 10) +
         " kB, but Open MPI needs about 4 MB there for each rank of a host; give the container more (docker run "
         "--shm-size 1g, a Memory volume in Kubernetes)";
}

std::string WhyIncurable(const LaunchOptions& options, const fs::path& run, bool saved_something) {
  if (std::string why = WhyDiskIsFull(run); !why.empty()) return why;
  struct statvfs shared = {};
  // If the job has saved something, it had enough shared memory.
  if (saved_something || ::statvfs("/dev/shm", &shared) != 0) return "";
  return WhySharedMemoryIsTooSmall(options, std::uint64_t{shared.f_blocks} * shared.f_frsize);
}

// Each launcher prints the name of its library or of its process manager.
std::string LibraryOf(std::string_view version) {
  const auto says = [&](std::string_view word) { return version.find(word) != std::string_view::npos; };
  if (says("Open MPI") || says("PRRTE") || says("OpenRTE")) return "Open MPI";
  if (says("HYDRA") || says("MPICH") || says("MVAPICH") || says("Intel(R) MPI")) return "MPICH";
  return "";
}

void RequireOwnMpirun(LaunchOptions& options) {
  if (options.launcher != "mpirun") return;
  // An mpirun that does not answer is not an error here; its fault appears when it starts the job. Any script may be
  // called mpirun, so it gets only a few seconds.
  const CommandOutput output = RunCommand({"timeout", "-k", "1", "3", "mpirun", "--version"});
  const std::string library = LibraryOf(output.text);
  options.runtime = open_mpi::RuntimeOf(output.text);
  if (library.empty() || library == kOwnLibrary) return;
  throw UsageError("the mpirun in PATH belongs to " + library + " (\"" + output.text.substr(0, output.text.find('\n')) +
                   "\"), and the programs were built for " + std::string(kOwnLibrary) +
                   "; put the mpirun of that library first in PATH, or load its module");
}

}  // namespace gan::launch
