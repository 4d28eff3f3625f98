#include "trainer/distributed/mpi_api.h"

#include <sched.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>

#include "open_mpi/runtime.h"
#include "storage/errors.h"
#include "trainer/distributed/communicator.h"

namespace gan::distributed {

namespace {

// Whether a rank may read another rank's memory. Containers can forbid the system call, and Yama can restrict it to
// debuggers.
bool CanReadOtherProcesses() {
  // The call below reads the process's own memory, which Yama always allows, so Yama has to be asked separately.
  std::ifstream scope("/proc/sys/kernel/yama/ptrace_scope");
  if (int value = 0; scope >> value && value != 0) return false;
  char from = 1, to = 0;
  const iovec local = {&to, 1}, remote = {&from, 1};
  return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == 1;
}

bool IsSet(const char* name) { return std::getenv(name) != nullptr; }

std::string Value(const char* name) { return IsSet(name) ? std::getenv(name) : ""; }

// The name and version of the MPI library, such as "Open MPI v4.1.4".
std::string LibraryName() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string whole(text, static_cast<std::size_t>(length));
  return whole.substr(0, whole.find_first_of(",\n"));
}

// srun without PMIx starts processes that are not connected. MPI would end each of them with a long message, or each
// would train alone.
void RequireNoSingletons() {
  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (tasks == nullptr || std::atoi(tasks) < 2) return;
  if (IsSet("PMIX_RANK") || IsSet("PMI_RANK") || IsSet("OMPI_COMM_WORLD_SIZE")) return;
  throw UsageError(std::string("srun has started ") + tasks +
                   " processes that are not connected; start them with srun --mpi=pmix or with mpirun");
}

// The variables that launchers put into the environment. It is read before MPI is initialised, because MPI sets some of
// the variables itself.
struct LaunchersMarks {
  int pmi_size = std::atoi(Value("PMI_SIZE").c_str());  // set by MPICH and others: the number of processes
  std::string pmix_version = Value("PMIX_VERSION");
  bool by_pmix = IsSet("PMIX_RANK");
  bool by_own_mpirun = IsSet("OMPI_COMM_WORLD_SIZE");
  bool by_slurm = IsSet("SLURM_JOB_ID") || IsSet("SLURM_PROCID");
};

// Under the launcher of another MPI library every process is a job of one rank: N independent trainings would run, each
// as if it were alone.
void RequireLauncherOfThisLibrary(const LaunchersMarks& marks, const World& world, int expected_size) {
  const std::string alone =
      " started this process, but " + LibraryName() +
      ", with which this program runs, does not support that launcher and would train with one rank alone; "
      "start it with the mpirun of that library";
  if (marks.pmi_size > world.size) {
    throw UsageError("a launcher of another MPI library, such as MPICH's mpiexec (PMI_SIZE " +
                     std::to_string(marks.pmi_size) + ")," + alone);
  }
  const bool understood = world.size > 1 || marks.by_own_mpirun || marks.by_slurm;
  if (!marks.by_pmix || understood || expected_size == 1) return;
  throw UsageError("a PMIx launcher other than mpirun, such as prterun of Open MPI 5 (PMIx " +
                   (marks.pmix_version.empty() ? "of unknown version" : marks.pmix_version) + ")," + alone +
                   ", or pass --expect-world-size 1 if that is intended");
}

using CpuMask = std::array<unsigned long, 128>;  // 8,192 CPUs, as many as Linux can be built for

std::vector<int> NumbersIn(const CpuMask& mask) {
  constexpr int kWord = 8 * sizeof(unsigned long);
  std::vector<int> numbers;
  for (int cpu = 0; cpu < kWord * static_cast<int>(mask.size()); ++cpu) {
    if ((mask[static_cast<std::size_t>(cpu / kWord)] >> (cpu % kWord) & 1UL) != 0) numbers.push_back(cpu);
  }
  return numbers;
}

// Exchanges the CPU masks of the ranks on a host, because each rank can only ask for its own.
std::vector<std::vector<int>> GatherCpus(MPI_Comm host, int ranks) {
  CpuMask mine{};
  ::sched_getaffinity(0, sizeof mine,
                      reinterpret_cast<cpu_set_t*>(mine.data()));  // stays empty if the kernel does not report it
  // Gathered now: afterwards each rank changes its own mask (host/cpu_share.h).
  std::vector<CpuMask> all(static_cast<std::size_t>(ranks));
  MPI_Allgather(mine.data(), static_cast<int>(mine.size()), MPI_UNSIGNED_LONG, all.data(),
                static_cast<int>(mine.size()), MPI_UNSIGNED_LONG, host);
  std::vector<std::vector<int>> cpus;
  for (const CpuMask& mask : all) cpus.push_back(NumbersIn(mask));
  return cpus;
}

// Ranks that can share memory are those of one host; their order there is that of their ranks.
World FindWorld() {
  World world;
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Comm_rank(MPI_COMM_WORLD, &world.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world.size);
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, world.rank, MPI_INFO_NULL, &host);
  MPI_Comm_rank(host, &world.local_rank);
  MPI_Comm_size(host, &world.local_size);
  world.local_cpus = GatherCpus(host, world.local_size);
  MPI_Comm_free(&host);
  return world;
}

}  // namespace

Environment::Environment(int* argc, char*** argv, int expected_size)
    : exceptions_at_start_(std::uncaught_exceptions()) {
  RequireNoSingletons();
  // Before MPI_Init, which reads the setting. Otherwise Open MPI would fail at the first large message.
  if (!CanReadOtherProcesses()) open_mpi::CopyWithoutKernel();
  const LaunchersMarks marks;
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided);
  if (provided < MPI_THREAD_MULTIPLE) {
    MPI_Finalize();
    throw UsageError(
        "this MPI library has no MPI_THREAD_MULTIPLE, which the use of several communicators at once requires");
  }
  world_ = FindWorld();
  try {
    RequireLauncherOfThisLibrary(marks, world_, expected_size);
  } catch (const UsageError&) {
    MPI_Finalize();
    throw;
  }
  // Errors in nonblocking collectives are reported to the error handler of MPI_COMM_WORLD, which by default ends the
  // job without a message.
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

Environment::~Environment() {
  if (std::uncaught_exceptions() == exceptions_at_start_) MPI_Finalize();
}

void Environment::Abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);  // MPI_Abort does not return, but the compiler does not know that
}

}  // namespace gan::distributed
